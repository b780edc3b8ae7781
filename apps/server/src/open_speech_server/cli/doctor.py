"""``open-speech doctor``."""

from __future__ import annotations

import click

from .connect import Server, server_options
from .console import ProgressLine, emit, json_option
from .exits import FAILED


@click.command("doctor")
@json_option
@server_options
def command(server: Server, as_json: bool) -> None:  # noqa: FBT001 - click's way
    """Diagnose problems and suggest fixes.

    Ends with status 1 if something must be fixed; a warning need not be.
    """
    from .diagnostics import State, diagnose

    progress = ProgressLine()
    findings = []
    for finding in diagnose(server, progress):
        findings.append(finding)
        progress.clear()
        if not as_json:
            click.echo(f"{_MARKS[finding.state]}  {finding.subject:12}  {finding.text}")
            if finding.fix:
                click.echo(f"{'':21}{finding.fix}")
    broken = sum(finding.state is State.WRONG for finding in findings)
    if as_json:
        emit({"ok": not broken, "checks": findings})
    elif broken:
        click.echo(f"\n{broken} of {len(findings)} checks found what must be fixed.")
    if broken:
        click.get_current_context().exit(FAILED)


_MARKS = {"ok": "ok   ", "warning": "warn ", "wrong": "WRONG"}
