"""Build the image with the engine at hand, and try it: `nox -s image`, or `python deploy/image.py`.

nox -s image                                  # the CUDA variant
nox -s image -- --build-arg VARIANT=cpu --build-arg TORCH_INDEX=ADDRESS
nox -s image -- --wheels FOLDER --build-arg VARIANT=cpu    # torch's CPU build lies in FOLDER
nox -s image -- --only smoke                  # try an image that is there
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
    parser.add_argument("--only", choices=("build", "measure", "smoke"), help="One step alone.")
    given, more = parser.parse_known_args()
    engine = given.engine or at_hand()
    if given.only in (None, "build"):
        build(engine, given.image, given.wheels, more)
    if given.only in (None, "measure"):
        print(json.dumps(sizes(engine, given.image)))
    if given.only in (None, "smoke"):
        if engine == "buildah":
            sys.exit("buildah builds; podman or docker is needed to run the smoke test.")
        command = [
            sys.executable,
            str(HERE / "smoke.py"),
            "--engine",
            engine,
            "--image",
            given.image,
        ]
        sys.exit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
