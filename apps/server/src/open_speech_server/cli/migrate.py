"""``open-speech migrate``: another server's compose file or environment, for this one."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..settings.compat import COMPAT, Translation, translate
from .exits import Failure

EARLIER = "open-speech-0.6"
"""This project's own earlier release."""
IMAGE = "${OPEN_SPEECH_IMAGE:-jwindsor1/open-speech:latest}"
CACHE = "/root/.cache/open-speech"
OLD_CACHE = "/old"
MAX_BYTES = 1_000_000


@click.command("migrate")
@click.argument("server", type=click.Choice([*COMPAT, EARLIER]))
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def command(server: str, file: Path | None) -> None:
    """Print a compose file for Open Speech that does what another SERVER did.

    FILE is that server's compose file, or a file of variables (NAME=value). Without it, the
    variables of this shell count. What changes is told on standard error.
    """
    from ..settings.settings import set_variables  # what it imports takes its time

    service = _service(file, server) if file else {"environment": set_variables()}
    environment = {name.lower(): value for name, value in _environment(service).items()}
    found = _earlier(environment) if server == EARLIER else translate(server, environment)
    if "env_file" in service:
        found.notes.append("The variables of 'env_file' were not read: migrate that file, too.")
    click.echo(_compose(server, found, service), nl=False)
    for line in found.notes:
        click.echo(f"- {line}", file=sys.stderr)


def _service(file: Path, server: str) -> dict[str, Any]:
    """The server's service in a compose file, or a file of variables as such a service."""
    import yaml

    from ..settings.types import unquoted

    if file.stat().st_size > MAX_BYTES:
        raise Failure(f"{file} is larger than {MAX_BYTES} bytes.")
    text = file.read_text(encoding="utf-8", errors="replace")
    if file.suffix not in {".yaml", ".yml"}:
        pairs = (line.partition("=") for line in text.splitlines() if _is_variable(line))
        return {"environment": {name.split()[-1]: unquoted(value) for name, _, value in pairs}}
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Failure(f"{file} is not YAML: {error}") from None
    services = content.get("services") if isinstance(content, dict) else None
    if not isinstance(services, dict):
        raise Failure(f"{file} has no 'services': give a compose file, or one with NAME=value.")
    word = server.partition("-0")[0]
    named = [
        each
        for name, each in services.items()
        if isinstance(each, dict) and word in f"{name} {each.get('image', '')}".lower()
    ]
    if not named and len(services) == 1:
        named = [each for each in services.values() if isinstance(each, dict)]
    if len(named) != 1:
        raise Failure(f"{file} has {len(named)} services of that server; leave one.")
    return named[0]


def _is_variable(line: str) -> bool:
    name, equals, _ = line.strip().partition("=")
    return bool(equals and name) and not name.startswith("#")


def _environment(service: Mapping[str, Any]) -> dict[str, str]:
    given = service.get("environment") or {}
    if isinstance(given, list):
        given = dict(str(each).partition("=")[::2] for each in given)
    if not isinstance(given, dict):
        raise Failure("The service's 'environment' is neither a mapping nor a list.")
    return {str(name): "" if value is None else _plain(value) for name, value in given.items()}


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _earlier(environment: Mapping[str, str]) -> Translation:
    """The old names as the new ones; values stay."""
    from ..settings.settings import OLD_NAMES
    from ..settings.table import PRELOAD_NAMES

    found = Translation()
    new_names = {old: new for new, old in OLD_NAMES.items()}
    given = {name: value for name, value in environment.items() if value}
    for name, value in given.items():
        if name in new_names:
            found.settings.setdefault(new_names[name], value)
        elif name.startswith(("os_", "stt_", "tts_")) and name not in PRELOAD_NAMES:
            found.settings[name] = value
    for name, new in PRELOAD_NAMES.items():
        models = f"{found.settings.get(new, '')},{given.get(name, '')}".split(",")
        if name in given:
            found.settings[new] = ",".join(dict.fromkeys(filter(None, map(str.strip, models))))
    found.notes.append("docs/how-to/from-0.6.1.md lists what changed beside the names.")
    return found


def _compose(server: str, found: Translation, service: Mapping[str, Any]) -> str:
    import yaml

    settings = {name.upper(): value for name, value in found.settings.items()}
    if server in COMPAT:
        defaults = {name.upper(): value for name, value in COMPAT[server]["settings"].items()}
        settings = {
            "OS_COMPAT": server,
            **{name: value for name, value in settings.items() if defaults.get(name) != value},
        }
        port = settings.get("OS_PORT", defaults["OS_PORT"])
    else:
        port = settings.get("OS_PORT", "8100")
    settings.pop("OS_HOST", None)  # a container listens on all of its addresses
    volumes = [f"models:{CACHE}"]
    declared: dict[str, Any] = {"models": {"name": "open-speech-models"}}
    if old := _old_cache(service):
        volumes.append(f"{old}:{OLD_CACHE}:ro")
        settings["HF_HUB_CACHE"] = OLD_CACHE
        if not old.startswith((".", "/", "~")):
            declared[old] = {"external": True}
            found.notes.append(
                f"The weights in the volume {old!r} are used in place. 'docker volume ls' shows "
                "its full name; write that below 'volumes'."
            )
    made = {
        "image": IMAGE,
        "ports": [str(each) for each in service.get("ports") or [f"{port}:{port}"]],
        "environment": [f"{name}={value}" for name, value in settings.items()],
        "volumes": volumes,
        "restart": "unless-stopped",
    }
    content = {"services": {"open-speech": made}, "volumes": declared}
    written: str = yaml.safe_dump(content, sort_keys=False, width=120, allow_unicode=True)
    return written


def _old_cache(service: Mapping[str, Any]) -> str | None:
    """The volume or folder that the weights of a hub's client are in."""
    for each in service.get("volumes") or []:
        if isinstance(each, str) and each.rstrip("/").endswith("huggingface/hub"):
            return each.partition(":")[0]
    return None
