"""``open-speech providers``."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .connect import Server, command_settings, connected, local_addresses, server_options
from .console import ProgressLine, emit, json_option, note, size, table
from .exits import FAILED, Failure
from .groups import ListByDefault

if TYPE_CHECKING:
    from open_speech.environments import Clash, Environment, EnvironmentStore

    from .client import ModelEntry

T = TypeVar("T")
_SHOWN = 3
"""Requirements told by name."""


@click.group("providers", cls=ListByDefault)
def command() -> None:
    """Manage providers; without a subcommand, list them."""


@command.command("list")
@json_option
@server_options
def listed(server: Server, as_json: bool) -> None:  # noqa: FBT001 - click's way
    """List the installed providers, and why any of them is broken."""
    with connected(server, ProgressLine()) as client:
        found = client.providers()
    if as_json:
        emit({"providers": found})
        return
    if not found:
        raise Failure(
            "No provider is installed. 'open-speech providers install NAME' adds one, such as "
            f"{' or '.join(_known()[:2])}."
        )
    table(
        ["PROVIDER", "VERSION", "STATUS", "MODELS", "ENVIRONMENT", "ABOUT"],
        [
            [
                each.name,
                each.version,
                each.status,
                str(each.models),
                "its own" if each.environment else "shared",
                each.summary,
            ]
            for each in found
        ],
    )
    for each in found:
        if each.error:
            click.echo(f"\n{each.error}")


@command.command("install")
@click.argument("name")
@click.option("--isolated", is_flag=True, help="Install it into a separate environment.")
@click.option("--upgrade", is_flag=True, help="Upgrade to the latest version.")
@click.option("--force", is_flag=True, help="Install even if it breaks other packages.")
@json_option
@server_options
def install(
    server: Server,
    name: str,
    isolated: bool,  # noqa: FBT001 - click's way
    upgrade: bool,  # noqa: FBT001
    force: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Install the provider NAME; a running server picks it up.

    NAME is a distribution's name, NAME==VERSION, or the path of a wheel or project. Providers of
    this project go by their last word, too.
    """
    if isolated and force:
        raise click.UsageError("--force is for the shared environment; --isolated needs none")
    store, progress, requirement = _store(), ProgressLine(), _full_name(name)
    try:
        made = _stoppable(
            lambda stop: store.install(
                requirement,
                isolated=isolated,
                upgrade=upgrade,
                force=force,
                progress=progress.show,
                cancelled=stop,
            )
        )
    finally:
        progress.clear()
    told = _have_rescanned(server)
    versions = {each.name: each.version for each in made.distributions}
    weights = _weights(versions)
    if as_json:
        emit(
            {
                "requirement": made.requirement or requirement,
                "environment": made.name,
                "bytes_added": made.size_bytes,
                "distributions": versions,
                "left_out": made.left_out,
                "weights": {each.id: each.packages for each in weights},
                "server": told,
            }
        )
        return
    click.echo(_installed(made, requirement))
    if made.left_out:
        click.echo(_without(made.left_out))
    for each in weights:
        packages = " and ".join(each.packages or ())
        click.echo(f"{each.id} has its weights from {packages}, license {each.license or '?'}.")
    _echo_rescan(told)


@command.command("remove")
@click.argument("name")
@json_option
@server_options
def remove(server: Server, name: str, as_json: bool) -> None:  # noqa: FBT001
    """Remove the provider NAME; its dependencies stay in a shared environment."""
    full = _full_name(name)
    _store().remove(full)
    told = _have_rescanned(server)
    if as_json:
        emit({"removed": full, "server": told})
        return
    click.echo(f"{full} is removed.")
    _echo_rescan(told)


@command.command("check")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@json_option
def check(names: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001
    """Check whether each NAME fits into the shared environment; changes nothing.

    Tells, too, what it would do without there. Ends with status 1 if one would replace what others
    use, or if they do not fit together.
    """
    store, progress = _store(), ProgressLine()
    wanted = [_full_name(name) for name in names]
    try:
        found = {each: _problem(store, progress, each) for each in wanted}
        left_out = {each: _left_out(store, progress, each) for each in wanted}
        together = None
        if len(found) > 1 and not any(found.values()):
            together = _problem(store, progress, *found)
    finally:
        progress.clear()
    fits = not together and not any(found.values())
    if as_json:
        checked = [
            {
                "requirement": name,
                "fits": clash is None,
                "changes": _changes(clash),
                "left_out": left_out[name],
            }
            for name, clash in found.items()
        ]
        emit({"fits": fits, "checked": checked, "together": str(together) if together else None})
    else:
        for name, clash in found.items():
            click.echo(clash or f"{name} fits: installing it here replaces nothing.")
            if left_out[name]:
                click.echo(_without(left_out[name]))
        if together:
            click.echo(together)
    if not fits:
        click.get_current_context().exit(FAILED)


def _problem(
    store: EnvironmentStore, progress: ProgressLine, *requirements: str
) -> Clash | str | None:
    """What stands against installing this here, all of it at once."""
    from open_speech.environments import InstallFailed

    first, *more = requirements
    try:
        return _stoppable(
            lambda stop: store.check(first, *more, progress=progress.show, cancelled=stop)
        )
    except InstallFailed as error:
        if not more:  # it could be installed nowhere
            raise
        return f"{error.message} Install one of them with --isolated."


def _left_out(store: EnvironmentStore, progress: ProgressLine, requirement: str) -> tuple[str, ...]:
    """What installing this here would leave out."""
    return _stoppable(
        lambda stop: store.left_out(requirement, progress=progress.show, cancelled=stop)
    )


def _without(lines: Sequence[str]) -> str:
    """That a provider does without its engine in the shared environment."""
    more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return (
        f"Its own engine does not come along: {', '.join(lines[:_SHOWN])}{more} fit in no "
        "environment but one of its own, which --isolated makes."
    )


def _changes(clash: Clash | str | None) -> list[dict[str, Any]]:
    return [] if clash is None or isinstance(clash, str) else [asdict(c) for c in clash.changes]


def _store() -> EnvironmentStore:
    from ..settings.core_config import environment_store

    return environment_store(command_settings())


def _known() -> list[str]:
    """Distributions that the hints for missing models name."""
    from ..settings.settings import KNOWN

    return sorted(set(KNOWN["hints"].values()))


def _full_name(name: str) -> str:
    """The distribution whose last word is told: one of ours, or an installed one."""
    from open_speech.service import installed_providers

    own = [environment.name for environment in _store().list() if environment.name]
    here = [provider.distribution for provider in installed_providers()]
    short, bracket, extras = name.strip().partition("[")
    for known in (*_known(), *own, *here):
        if known.rpartition("-")[2] == short.lower():
            return f"{known}{bracket}{extras}"
    return name


def _stoppable(work: Callable[[threading.Event], T]) -> T:
    """Do it in a thread, so that Ctrl-C lets it put everything back."""
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work, stop)
        try:
            return future.result()
        except KeyboardInterrupt:
            stop.set()
            raise


def _installed(made: Environment, requirement: str) -> str:
    if not made.distributions:
        return f"{requirement} is installed already."
    what = ", ".join(f"{each.name} {each.version}" for each in made.distributions)
    where = "into an environment of its own" if made.name else "into the shared environment"
    return f"Installed {what} {where}: {size(made.size_bytes)} added."


def _weights(installed: Mapping[str, str]) -> list[ModelEntry]:
    """The models whose weights came along as packages."""
    if not installed:
        return []
    from .local import opened

    came = {f"{name}=={version}" for name, version in installed.items()}
    with opened(command_settings(), ProgressLine()) as client:
        return [each for each in client.models() if came & set(map(_same, each.packages or ()))]


def _same(requirement: str) -> str:
    """A requirement with the name as lists of what was installed spell it."""
    name, at, version = requirement.partition("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}{at}{version}"


def _have_rescanned(server: Server) -> str | None:
    """Tell a running server to look again; its address, or None if there is none to tell.

    The one that is named, or else one that answers where this machine's settings put it.
    """
    if server.url:
        return _rescanned(server)
    usual, other = local_addresses(command_settings())
    for url in (usual, other):
        if told := _rescanned(replace(server, url=url), quiet=True):
            return told
    where = usual.partition("://")[2]
    note(f"No server answered at {where}. One elsewhere (--url) picks it up at its next start.")
    return None


def _rescanned(server: Server, *, quiet: bool = False) -> str | None:
    import httpx

    from .remote import RemoteClient

    try:
        with RemoteClient(
            server, ProgressLine(), timeout=httpx.Timeout(60.0, connect=2.0)
        ) as client:
            if not client.health():
                return None
            client.rescan()
    except Failure as failure:
        if not quiet:
            note(f"The server could not be notified: {failure} It picks it up at its next start.")
        return None
    return server.url


def _echo_rescan(told: str | None) -> None:
    if told:
        click.echo(f"The server at {told} has picked it up.")


@command.command("new")
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(["tts", "stt", "vad", "turn", "diarization"]),
    default="tts",
    show_default=True,
    help="Text to speech, speech to text, voice activity, the end of a turn, or diarization.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder for the project.  [default: the current one]",
)
def begun(name: str, kind: str, folder: Path) -> None:
    """Create a project for a new provider; it passes the conformance suite."""
    from .new_provider import write_project

    written = write_project(name, kind, folder)
    click.echo(f"{written}: a provider to begin with. To try it:\n")
    click.echo(f"    pip install -e {written} 'open-speech-core[testing]'")
    click.echo(f"    python -m pytest {written}")
    click.echo(f"    open-speech models info {name}/small")
