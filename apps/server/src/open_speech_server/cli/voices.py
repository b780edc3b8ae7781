"""``open-speech voices``."""

from __future__ import annotations

import click

from .connect import Server, connected, server_options
from .console import ProgressLine, emit, json_option, table
from .exits import Failure


@click.command("voices")
@click.option(
    "--model", metavar="NAME", help="List the voices of this model.  [default: TTS_MODEL]"
)
@click.option("--language", metavar="TAG", help="Only voices of this language; en includes en-GB.")
@json_option
@server_options
def command(
    server: Server,
    model: str | None,
    language: str | None,
    as_json: bool,  # noqa: FBT001 - click's way
) -> None:
    """List voices."""
    with connected(server, ProgressLine()) as client:
        voices = [
            each
            for each in client.voices(model)
            if language is None or speaks(each.language, language)
        ]
    if as_json:
        emit({"voices": voices})
        return
    if not voices:
        which = f" of the language {language}" if language else ""
        raise Failure(f"The model has no voices{which}.")
    table(
        ["VOICE", "LANGUAGE", "GENDER", "NAME", "MODEL"],
        [
            [each.id, each.language or "-", each.gender or "-", each.name, each.model or "-"]
            for each in voices
        ],
    )


def speaks(language: str | None, wanted: str) -> bool:
    """Whether a tag is the wanted one or narrower: ``en-GB`` is ``en``, ``eno`` is not."""
    tag, prefix = (text.replace("_", "-").casefold() for text in (language or "", wanted))
    return tag == prefix or tag.startswith(f"{prefix}-")
