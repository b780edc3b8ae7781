"""Build the image with the engine at hand, and try it: `nox -s image`, or `python deploy/image.py`.

nox -s image                                  # the CUDA variant
nox -s image -- --build-arg VARIANT=cpu --build-arg TORCH_INDEX=ADDRESS
nox -s image -- --wheels FOLDER --build-arg VARIANT=cpu    # torch's CPU build lies in FOLDER
nox -s image -- --only smoke                  # try an image that is there
nox -s image -- --only guest --run OPTIONS    # options for the engine's run, as for the others
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
TRIALS = {"smoke": "smoke.py", "cases": "smoke_cases.py", "guest": "smoke_guest.py"}
"""What tries an image. The guest needs a package index, and comes only when it is asked for."""
ENGINES = ("docker", "podman", "buildah")
IMAGE = "localhost/open-speech:dev"


def at_hand() -> str:
    """The first engine whose command is there and answers."""
    for engine in ENGINES:
        if (
            shutil.which(engine)
            and not subprocess.run([engine, "info"], check=False, capture_output=True).returncode
        ):
            return engine
    sys.exit(f"None of {', '.join(ENGINES)} is here and running.")


def build(engine: str, image: str, wheels: Path | None, more: list[str]) -> None:
    """Build the Dockerfile of the repository."""
    command = [engine, "build", "--tag", image]
    # The format of OCI has no healthchecks; Docker's has.
    command += ["--format", "docker"] if engine != "docker" else []
    if wheels:
        # A second context would need BuildKit: the folder is copied where the builder sees it.
        command += _seen(engine, wheels.resolve())
    subprocess.run([*command, *more, str(ROOT)], check=True)


def _seen(engine: str, wheels: Path) -> list[str]:
    """Arguments that show a folder of wheels to the build."""
    if engine == "docker":
        sys.exit("Docker mounts no folder into a build: serve it (python -m http.server) and name "
                 "its address by --build-arg PIP_FIND_LINKS=ADDRESS.")  # fmt: skip
    where = "/mnt/wheels"
    return ["--volume", f"{wheels}:{where}:ro", "--build-arg", f"PIP_FIND_LINKS={where}"]


def sizes(engine: str, image: str) -> dict[str, int]:
    """Bytes of the image, unpacked and as one compressed archive."""
    runner = "podman" if engine == "buildah" else engine
    shown = subprocess.run(
        [runner, "image", "inspect", "--format", "{{.Size}}", image],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    counter = _Counter()
    with subprocess.Popen([runner, "save", image], stdout=subprocess.PIPE) as saving:
        assert saving.stdout is not None
        with gzip.GzipFile(fileobj=counter, mode="wb", compresslevel=6) as packed:
            shutil.copyfileobj(saving.stdout, packed, 1 << 20)
    return {"unpacked": int(shown.stdout), "compressed": counter.total}


def space(engine: str, image: str) -> str:
    """A table of what takes the space, made by the image's own Python."""
    if engine == "buildah":
        return "buildah builds; podman or docker tells what takes the space."
    python = ("--entrypoint", "/opt/open-speech/bin/python", image, "-")
    script = (HERE / "space.py").read_text(encoding="utf-8")
    run = [engine, "run", "--rm", "--interactive", "--network", "none", "--user", "0", *python]
    return subprocess.run(run, input=script, check=True, stdout=subprocess.PIPE, text=True).stdout


class _Counter:
    """Counts what is written, and keeps nothing."""

    total = 0

    def write(self, data: bytes) -> int:
        """Count it."""
        self.total += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is kept."""


def main() -> None:
    """Build, measure, try; or one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--engine", choices=ENGINES, help="Which engine; the first at hand if left out."
    )
    parser.add_argument("--image", default=IMAGE)
    parser.add_argument("--wheels", type=Path, help="Folder of wheels that the build shall see.")
    parser.add_argument("--run", default="", help="More options for the engine's `run`.")
    steps = ("build", "measure", *TRIALS)
    parser.add_argument("--only", choices=steps, help="One step alone.")
    given, more = parser.parse_known_args()
    engine = given.engine or at_hand()
    wanted = (given.only,) if given.only else ("build", "measure", "smoke", "cases")
    if "build" in wanted:
        build(engine, given.image, given.wheels, more)
    if "measure" in wanted:
        print(json.dumps(sizes(engine, given.image)))
        print(space(engine, given.image))
    for name in wanted:
        if name in TRIALS:
            attempt(TRIALS[name], engine, given.image, given.run)


def attempt(script: str, engine: str, image: str, options: str) -> None:
    """Run a script that tries an image; end where it failed."""
    if engine == "buildah":
        sys.exit("buildah builds; podman or docker is needed to run what was built.")
    command = [sys.executable, str(HERE / script), "--engine", engine, "--image", image]
    status = subprocess.run([*command, f"--run={options}"], check=False).returncode
    if status:
        sys.exit(status)


if __name__ == "__main__":
    main()
