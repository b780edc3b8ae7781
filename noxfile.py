# /// script
# requires-python = ">=3.11"
# dependencies = ["nox>=2025.5.1"]
# ///
"""The one way to run things: `pipx run nox -s serve`, or `pip install nox` and `nox -s tests`.

Every session makes its own environment on the first run and keeps it. It is filled again when a
pyproject.toml, a constraints file or this file changes; code is installed editable, so a change of
code needs nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import nox
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

nox.needs_version = ">=2025.5.1"
# virtualenv carries its own pip, which Debian's python3 without python3-venv does not.
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.error_on_missing_interpreters = True

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
CORE = "open-speech-core"
SERVER = "open-speech-server"
CORE_EXTRAS = "audio,hub,text"
EMBEDDED = (
    "open-speech-provider-espeak",
    "open-speech-provider-pocketsphinx",
    "open-speech-provider-silero",
    "open-speech-provider-campplus",
)
"""Providers whose models come inside a wheel: nothing to download, no compiler."""

SMALL = ("open-speech-provider-whisper", "open-speech-provider-piper")
"""Providers that need no torch, with models that are small and good."""

TURNS = ("open-speech-provider-silero", "open-speech-provider-smart-turn")
"""Providers that a live session needs: who speaks, and whether the turn has ended."""

SPEAKERS = ("open-speech-provider-silero", "open-speech-provider-campplus")
"""Providers that tell the speakers of a recording apart."""

IN_PARALLEL = ("-n", "auto", "--maxprocesses=8", "--dist=loadfile", "--no-loadscope-reorder")
"""How pytest shares the tests between processes, one for each core.

A file stays whole, because its tests share servers and models. Files go out in the order in which
they are found: those that take longest come first (`testpaths`), so that no core waits at the end.
"""

STARTERS = (
    # setting, provider, extra with the weights, model, what it is, embedded model instead
    (
        "STT_MODEL",
        "open-speech-provider-whisper",
        "tiny-en",
        "Systran/faster-whisper-tiny.en",
        "Whisper tiny.en, which listens (78 MB, MIT)",
        "pocketsphinx/en-us",
    ),
    (
        "TTS_MODEL",
        "open-speech-provider-piper",
        "joe",
        "piper/en_US-joe-medium",
        "Piper's voice joe, which speaks (63 MB, CC0)",
        "espeak/en-us",
    ),
)
"""Good small models whose weights are packages, for `serve`."""

BUILDER = ("hatchling>=1.27", "editables>=0.5")
"""What makes editable installations of our distributions."""

BROWSERS = ("chromium", "chromium-browser", "chrome")
"""Any of these drives the web page's tests."""

SERVE_DEFAULTS = {
    "OS_HOST": "127.0.0.1",
    "OS_SSL_ENABLED": "false",
    "TTS_VOICE": "default",
}
"""What `serve` sets where the environment does not."""


@nox.session
def serve(session: nox.Session) -> None:
    """Start the server with Whisper and Piper, or with engines that need no weights."""
    first = _named(session, CORE, SERVER, *EMBEDDED)
    steps = len(STARTERS) + 1
    title = f"Step 1 of {steps}: the server, and two tiny engines as a reserve"
    if not (Path(session.virtualenv.location) / "installed-builder").is_file():
        # Once for all that is built here: pip would fetch it anew for each.
        session.install("--quiet", *BUILDER)
        (Path(session.virtualenv.location) / "installed-builder").touch()
    if error := _install_showing(session, title, first):
        session.error(error)
    wanted = {name: os.environ.get(name, value) for name, value in SERVE_DEFAULTS.items()}
    for number, (setting, provider, extra, model, about, instead) in enumerate(STARTERS, 2):
        wanted[setting] = os.environ.get(setting, model)
        if wanted[setting] == instead:
            continue
        title = f"Step {number} of {steps}: {about}"
        error = _install_showing(session, title, _named(session, provider), extra=extra)
        if error and wanted[setting] == model:
            wanted[setting] = instead
            session.warn(
                f"{about} cannot be had: {error}. {instead} does it; the next start tries again."
            )
    command = [str(Path(session.bin) / "open-speech"), "serve", *session.posargs]
    if os.name != "posix":
        session.run(*command, env=wanted)
        return
    # Take nox's place: a signal then reaches the server itself, which drains and ends its workers.
    path = os.pathsep.join([session.bin, os.environ["PATH"]])
    os.execve(command[0], command, {**os.environ, "PATH": path, **wanted})


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests: all, or those of `-- core`, `-- whisper`..., or with any pytest arguments.

    They run on all cores; `-- -n 0` runs them one after another in one process.
    """
    _install(session, _distributions(session), groups=["tests"])
    if not any(map(shutil.which, BROWSERS)):
        session.warn("Chromium was not found: the browser tests are skipped")
    session.run("pytest", *IN_PARALLEL, *_pytest_arguments(session.posargs))


@nox.session(default=False)
def real(session: nox.Session) -> None:
    """Hear and speak with published weights, which are fetched as packages (130 MB) and kept.

    `deep` does the same with the larger models. OPEN_SPEECH_TEST_CACHE names the folder that keeps
    them; OPEN_SPEECH_REAL_TESTS=required makes it a failure where they cannot be had.
    """
    providers = dict.fromkeys((*SMALL, *TURNS, *SPEAKERS))
    _install(session, _named(session, CORE, SERVER, *providers), groups=["tests", "real"])
    # -rP shows the figures of the tests that passed, too.
    session.run("pytest", "tests/real", "-m", "real and not deep", "-rP", *session.posargs)


@nox.session
def peers(session: nox.Session) -> None:
    """Run the own tests of Speaches and Kokoro-FastAPI: `-- SPEACHES KOKORO_FASTAPI`, checkouts.

    Needs Python 3.12 and ffmpeg beside the rest, and published weights, as `deep` does.
    """
    providers = (*SMALL, *EMBEDDED, "open-speech-provider-kokoro")
    _install(session, _named(session, CORE, SERVER, *dict.fromkeys(providers)), groups=["tests"])
    session.env["PYTHONPATH"] = str(ROOT / "tests")
    session.run("python", "-m", "peers.run", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check the code's form; `-- --fix` repairs what can be repaired."""
    _install(session, {}, groups=["lint"])
    fix = "--fix" in session.posargs
    session.run("ruff", "check", *(["--fix"] if fix else []))
    session.run("ruff", "format", *([] if fix else ["--check"]))


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of all code, strictly, and what the tests that cross packages get wrong."""
    distributions = _distributions(session)
    # Engines count as untyped whether they are there or not, so they need not be.
    providers = [name for name in distributions if name.startswith("open-speech-provider-")]
    _install(session, distributions, groups=["tests", "types"], bare=providers)
    session.run("mypy", *_existing(folder / "src" for folder in distributions.values()))
    session.run("mypy", "docs/generate.py", "noxfile.py", *map(str, ROOT.glob("deploy/*.py")))
    # A fixture's type is plain from its name, so tests need no annotations.
    session.run("mypy", "--allow-untyped-defs", "--allow-incomplete-defs", "tests")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site of the documents, and run their code; `-- --write` renews the reference pages.

    The site is `build/docs/index.html`, and needs nothing from the network.
    """
    _install(session, _distributions(session), groups=["tests", "docs"])
    if "--write" in session.posargs:
        session.run("python", "docs/generate.py", "--write")
        return
    # A page in no navigation, or a link into nothing, is a warning, and a warning is an error.
    session.run("sphinx-build", "-q", "-W", "--keep-going", "-c", "docs", ".", "build/docs")
    session.run("pytest", "tests/test_docs.py", *session.posargs)


@nox.session(default=False)
def screenshots(session: nox.Session) -> None:
    """Take the pictures of the web page again; needs Chromium."""
    _install(session, _distributions(session), groups=["tests"])
    weights = [f"{_named(session, name)[name]}[{extra}]" for _, name, extra, *_ in STARTERS]
    session.install("--progress-bar=off", *(w for each in weights for w in ("--editable", each)))
    session.run("python", "docs/screenshots.py")


@nox.session(default=False)
def sbom(session: nox.Session) -> None:
    """Write build/sbom.json: everything that the server and all providers install, as CycloneDX."""
    _install(session, _distributions(session))
    target = ROOT / "build" / "sbom.json"
    target.parent.mkdir(exist_ok=True)
    tool = Path(session.create_tmp()) / "cyclonedx"
    if not (tool / "bin" / "cyclonedx-py").is_file():  # apart, so that it lists not itself
        session.run("python", "-m", "venv", str(tool))
        session.run(str(tool / "bin" / "pip"), "install", "--quiet", "cyclonedx-bom>=7.5")
    listed = ("environment", session.bin + "/python", "--output-file", str(target))
    session.run(str(tool / "bin" / "cyclonedx-py"), *listed)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure and report: `-- NAME [ARGUMENTS]` for one script of bench/, or all of them."""
    _install(session, _distributions(session), groups=["tests"])
    name, *arguments = session.posargs or [""]
    scripts = [ROOT / "bench" / f"{name}.py"] if name else sorted(ROOT.glob("bench/[!_]*.py"))
    for script in scripts:
        # What a script compares us with stands in its own header.
        wanted = (
            nox.project.load_toml(script).get("dependencies", []) if _has_header(script) else []
        )
        if others := [line for line in wanted if not line.startswith("open-speech-")]:
            session.install("--progress-bar=off", "--prefer-binary", *others)
        session.run("python", str(script), *arguments)


@nox.session(default=False)
def build(session: nox.Session) -> None:
    """Build every wheel, install them together in a clean environment, ask what is installed."""
    _install(session, {}, groups=["build"])
    wheels = ROOT / "dist"
    shutil.rmtree(wheels, ignore_errors=True)
    distributions = _distributions(session)
    for folder in distributions.values():
        session.run("python", "-m", "build", "--no-isolation", "--outdir", str(wheels), str(folder))
    clean = Path(session.create_tmp()) / "clean"
    shutil.rmtree(clean, ignore_errors=True)
    session.run("python", "-m", "virtualenv", "--quiet", str(clean))
    python = clean / ("Scripts" if os.name == "nt" else "bin") / "python"
    files = sorted(str(wheel) for wheel in wheels.glob("*.whl"))
    session.run(
        str(python), "-m", "pip", "install", "--quiet", *_constraints(), *files, external=True
    )
    session.run(str(python), "-m", "pip", "check", external=True)
    session.run(str(python.with_name("open-speech")), "providers", external=True)


@nox.session(default=False)
def image(session: nox.Session) -> None:
    """Build the container image with the engine at hand, measure and try it; see `-- --help`."""
    _install(session, _distributions(session), groups=["tests"])
    session.run("python", "deploy/image.py", *session.posargs)


@nox.session(default=False)
def deep(session: nox.Session) -> None:
    """Run the heaviest checks: long state machines, large files."""
    _install(session, _distributions(session), groups=["tests", "real"])
    session.run("pytest", "-m", "deep", *session.posargs)


@nox.session(default=False)
def clients(session: nox.Session) -> None:
    """Run real clients, each in an environment of its own, and list what each did: part of deep."""
    _install(session, _distributions(session), groups=["tests"])
    session.run("pytest", "tests/test_clients.py", "-m", "deep", "-v", "-rs", *session.posargs)


@nox.session(default=False)
def soak(session: nox.Session) -> None:
    """Load a server for an hour, with a fault every five seconds: `-- --minutes 10` for less.

    The report is `build/soak.html`. Published weights are needed, as for `real`.
    """
    providers = (*SMALL, *EMBEDDED)
    _install(session, _named(session, CORE, SERVER, *dict.fromkeys(providers)), groups=["tests"])
    session.env["PYTHONPATH"] = str(ROOT / "tests")
    session.run("python", "-m", "soak.run", *session.posargs)


@nox.session(default=False)
def minimums(session: nox.Session) -> None:
    """Run the tests with the lowest versions that the distributions say they accept."""
    distributions = _distributions(session)
    lowest = Path(session.create_tmp()) / "lowest.txt"
    lowest.write_text("\n".join(_lowest_versions(distributions.values())) + "\n")
    _install(session, distributions, groups=["tests"], constraint=lowest)
    session.run("pytest", *IN_PARALLEL, *_pytest_arguments(session.posargs))


def _distributions(session: nox.Session) -> dict[str, Path]:
    """Every distribution that the session's Python can install, by name."""
    python = session.python if isinstance(session.python, str) else sys.version.split()[0]
    found: dict[str, Path] = {}
    for folder in _folders():
        project = nox.project.load_toml(folder / "pyproject.toml")["project"]
        if python in SpecifierSet(project["requires-python"]):
            found[project["name"]] = folder
        else:
            session.warn(f"{project['name']} is left out: Python {project['requires-python']}")
    return found


def _folders() -> list[Path]:
    files = [*ROOT.glob("packages/*/pyproject.toml"), *ROOT.glob("apps/*/pyproject.toml")]
    return sorted(file.parent for file in files)


def _named(session: nox.Session, *names: str) -> dict[str, Path]:
    known = _distributions(session)
    return {name: known[name] for name in names}


def _install(
    session: nox.Session,
    distributions: dict[str, Path],
    *,
    groups: Iterable[str] = (),
    bare: Iterable[str] = (),
    constraint: Path | None = None,
) -> None:
    """Install distributions editable, and groups of tools, unless that was done before.

    Those named in `bare` come without what they depend on: code to look at, not to run.
    """
    requirements = list(nox.project.dependency_groups(PROJECT, *groups))
    extras = f"{CORE_EXTRAS},testing" if "tests" in groups else CORE_EXTRAS
    editable: dict[bool, list[str]] = {True: [], False: []}
    for name, folder in distributions.items():
        target = f"{folder}[{extras}]" if name == CORE else str(folder)
        editable[name in bare] += ["--editable", target]
        if "tests" in groups and name not in bare:
            requirements += _test_requirements(folder)
    constraints = _constraints(constraint)
    arguments = [*constraints, *requirements, *editable[False]]
    done = Path(session.virtualenv.location) / "installed"
    key = _fingerprint([*arguments, *editable[True]], distributions.values())
    if done.is_file() and done.read_text() == key:
        return
    session.log("Installing %s: a minute or so", ", ".join([*distributions, *groups]))
    session.install("--progress-bar=off", "--prefer-binary", *arguments)
    if editable[True]:
        session.install("--progress-bar=off", "--no-deps", *editable[True])
    done.write_text(key)


def _install_showing(
    session: nox.Session, title: str, distributions: dict[str, Path], *, extra: str = CORE_EXTRAS
) -> str | None:
    """Install distributions editable, naming what is fetched, unless that was done before.

    Each comes with `extra` if it has that. Returns why it cannot be done, or None.
    """
    targets = [
        f"{folder}[{extra}]" if _has_extra(folder, extra) else str(folder)
        for folder in distributions.values()
    ]
    arguments = [*_constraints(), *(word for target in targets for word in ("--editable", target))]
    done = Path(session.virtualenv.location) / f"installed-{'-'.join(distributions)}"
    key = _fingerprint(arguments, distributions.values())
    if done.is_file() and done.read_text() == key:
        return None
    session.log(title)
    # No compiler is wanted, and nothing is waited for where there is no network. What is imported
    # gets its bytecode then; to compile the rest takes longer than to fetch it.
    options = ["--only-binary=:all:", "--progress-bar=off", "--retries=1"]
    options += ["--no-build-isolation", "--no-compile"]
    pip = [str(Path(session.bin) / "python"), "-m", "pip", "install", *options, *arguments]
    said = []
    with subprocess.Popen(
        pip, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line.rstrip())
            if step := _step(line):
                session.log(f"    {step}")
    if process.returncode:
        errors = [line.partition("ERROR: ")[2] for line in said if line.startswith("ERROR: ")]
        return (errors or said or ["pip failed"])[-1].rstrip(".")
    done.write_text(key)
    return None


def _step(line: str) -> str | None:
    """What a line of pip's says that is worth seeing."""
    if line.startswith("Obtaining file:"):
        return line.strip().rpartition("/")[2]
    if found := re.match(r"\s*(?:Downloading|Using cached) (\S+?)-(\d\S*?)-\S+ \((.* MB)\)", line):
        return f"{found[1]} {found[2]}, {found[3]}"
    if line.startswith("Installing collected packages: "):
        return f"installing {line.count(',') + 1} packages"
    return None


def _has_extra(folder: Path, extra: str) -> bool:
    project = nox.project.load_toml(folder / "pyproject.toml")["project"]
    return bool(set(extra.split(",")) <= project.get("optional-dependencies", {}).keys())


def _test_requirements(folder: Path) -> list[str]:
    """What a distribution's own tests need, from its dependency group `tests`."""
    project = nox.project.load_toml(folder / "pyproject.toml")
    return (
        list(nox.project.dependency_groups(project, "tests"))
        if "tests" in project.get("dependency-groups", {})
        else []
    )


def _constraints(*more: Path | None) -> list[str]:
    """Arguments for pip: each file under constraints/ narrows what may be installed.

    `constraints/torch-cpu.txt` is the place for the CPU build of torch that the tests run with.
    """
    files = [*sorted(ROOT.glob("constraints/*.txt")), *(file for file in more if file)]
    return [argument for file in files for argument in ("--constraint", str(file))]


def _fingerprint(arguments: list[str], folders: Iterable[Path]) -> str:
    digest = hashlib.sha256("\n".join([sys.version, *arguments]).encode())
    files = [folder / "pyproject.toml" for folder in folders]
    files += [Path(a) for a in arguments if a.endswith(".txt")]
    for file in (Path(__file__), *files):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _has_header(script: Path) -> bool:
    return "# /// script" in script.read_text(encoding="utf-8")


def _existing(folders: Iterable[Path]) -> list[str]:
    return [str(folder.relative_to(ROOT)) for folder in folders if any(folder.rglob("*.py"))]


def _pytest_arguments(posargs: list[str]) -> list[str]:
    """Replace `core`, `server` or a provider's short or full name by the folder of its tests."""
    folders = {folder.name: folder for folder in _folders()}
    shortened = {
        name.removeprefix("open-speech-").removeprefix("provider-"): folder
        for name, folder in folders.items()
    }
    named = {**folders, **shortened}
    before = ["", *posargs]  # what follows an option is its value
    return [
        str(named[text] / "tests") if text in named and last not in ("-k", "-m") else text
        for last, text in zip(before, posargs, strict=False)
    ]


def _lowest_versions(folders: Iterable[Path]) -> list[str]:
    """One `name==version.*` for each dependency: the highest of the lower bounds asked for."""
    bounds: dict[str, str] = {}
    for folder in folders:
        project = nox.project.load_toml(folder / "pyproject.toml")["project"]
        extras = project.get("optional-dependencies", {}).values()
        for text in [
            *project.get("dependencies", []),
            *(line for lines in extras for line in lines),
        ]:
            requirement = Requirement(text)
            name = canonicalize_name(requirement.name)
            if name.startswith("open-speech") or (
                requirement.marker and not requirement.marker.evaluate({"extra": ""})
            ):
                continue
            for specifier in requirement.specifier:
                if specifier.operator in {">=", "==", "~="} and (
                    name not in bounds or Version(bounds[name]) < Version(specifier.version)
                ):
                    bounds[name] = specifier.version
    return [f"{name}=={version}.*" for name, version in sorted(bounds.items())]
