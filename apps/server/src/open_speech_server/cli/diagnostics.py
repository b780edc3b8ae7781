"""What ``open-speech doctor`` looks at, in its order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..settings.settings import ConfigurationError, Settings, start_notices
from . import check_machine, check_network, check_parts
from .check_result import CheckResult, State, ok, warning, wrong
from .connect import Server, command_settings
from .console import ProgressLine

__all__ = ["CheckResult", "State", "diagnose"]

Check = Callable[[Settings], Iterator[CheckResult]]


def diagnose(server: Server, progress: ProgressLine) -> Iterator[CheckResult]:
    """Look at everything, one finding after the other; a check that fails is a finding too."""
    yield check_machine.interpreter()
    try:
        settings = command_settings()
    except ConfigurationError as error:
        for line in str(error).splitlines():
            yield wrong(
                "settings",
                line,
                "Fix it and run this command again; the other checks were skipped.",
            )
        return
    notices = start_notices()
    for line in notices:
        yield warning("settings", line, "Rename it in the environment.")
    if not notices:
        yield ok("settings", "every variable is one that is known, with a value that is allowed")
    checks: list[tuple[str, Check]] = [
        ("folders", check_machine.folders),
        ("disk", check_machine.disk),
        ("providers", lambda settings: check_parts.providers(settings, progress)),
        ("environments", check_parts.environments),
        ("gpu", check_machine.gpu),
        ("hub", check_network.hub),
        ("certificate", check_network.certificate),
        ("key", check_network.key),
        ("port", lambda settings: check_network.port(settings, server)),
    ]
    if server.url:
        checks[-1] = ("server", lambda _: check_network.remote(server))
    for subject, check in checks:
        progress.show(f"looking at {subject}")
        try:
            yield from check(settings)
        except Exception as error:  # a doctor who faints helps nobody
            yield wrong(subject, f"cannot be checked: {type(error).__name__}: {error}", "")
