"""Settings: the server's table of them, in groups by what they are about."""

from __future__ import annotations

from open_speech_server.settings.table import settings_table

from ._markdown import code, document, table


def page() -> str:
    """The page settings.md."""
    return document(
        "# Settings",
        "The server is set up by environment variables. One that is empty counts as not set, and "
        "one with a wrong value stops the start with a sentence that says what is allowed.",
        table(
            ["Variable", "Default", "Allowed", "Meaning"],
            [
                [code(row.name), code(row.default), row.allowed, row.description]
                for row in settings_table()
            ],
        ),
        "## Old names",
        "These names of earlier versions still work; where both are set, the new one wins.",
        table(
            ["Old", "New"],
            [[code(old), code(row.name)] for row in settings_table() for old in row.aliases],
        ),
    )
