"""Tags in square brackets: pauses, pronunciations, voices and rates inside plain text.

    [pause:1.5s]  [pause:500ms]  [Worcester](/ˈwʊstɚ/)  [voice:name]  [rate:1.5]

A voice or a rate holds until the next one, and a new voice begins at its own rate. Whatever is not
exactly one of these, such as a link in Markdown, is text.
"""  # noqa: RUF002 - phonemes

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from .._synthesis.utterances import Pause
from .._types.models import ModelInfo
from .spans import MAX_IPA, Collector, Setting, Span, clamped_rate

# Every repetition is bounded and stops at a bracket: the work is linear in the text.
_TAG = re.compile(
    r"\[(?:pause:[ ]{0,8}(?P<pause>\d{1,9}(?:\.\d{1,9})?)[ ]{0,8}(?P<unit>ms|s)[ ]{0,8}"
    r"|voice:(?P<voice>[^\[\]\n]{1,200})"
    r"|rate:[ ]{0,8}(?P<rate>\d{1,9}(?:\.\d{1,9})?)[ ]{0,8})\]"
    r"|\[(?P<word>[^\[\]]{1,200})\]\(/(?P<ipa>[^/()\n]{1," + str(MAX_IPA) + r"})/\)",
    re.IGNORECASE,
)


def spans(text: str, model: ModelInfo, *, voice_tags: bool = True) -> Iterator[Span | Pause]:
    """Read the tags of a text.

    Raises:
        InvalidRequest: a pause that is too long.
        UnsupportedCapability: a pronunciation for a model that takes no phonemes.
    """
    collector = Collector(model)
    position = 0
    for match in _TAG.finditer(text):
        if _is_text(match, voice_tags=voice_tags):
            continue
        collector.text.same(text[position : match.start()], position)
        position = match.end()
        _obey(collector, match)
    collector.text.same(text[position:], position)
    yield from collector.finish()


def _is_text(match: re.Match[str], *, voice_tags: bool) -> bool:
    if match["voice"] is not None:
        return not voice_tags or not match["voice"].strip()
    if match["rate"] is not None:
        return not voice_tags
    return match["word"] is not None and not (match["word"].strip() and match["ipa"].strip())


def _obey(collector: Collector, match: re.Match[str]) -> None:
    if match["pause"]:
        scale = 1000 if match["unit"].lower() == "ms" else 1
        collector.pause(float(match["pause"]) / scale)
    elif match["voice"]:
        collector.change(Setting(voice=match["voice"].strip()))
    elif match["rate"]:
        speed = clamped_rate(float(match["rate"]))
        collector.change(replace(collector.setting, speed=speed))
    else:
        collector.need_phonemes()
        collector.text.same(match[0], match.start(), fixed=True)
