"""Recordings of people with what they say, from packages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from . import packages

SAMPLES = "pytest_audioeval/samples/audio/"
LIBRIVOX = "usr/share/pocketsphinx/test/data/librivox/"
_LINE = re.compile(r"<s> (?P<text>.*) </s> \((?P<name>.*)\)")


@dataclass(frozen=True)
class Recording:
    """A sound file, and the words in it."""

    name: str
    language: str
    text: str
    sound: bytes


def short_ones() -> list[Recording]:
    """Three short texts in each of nine languages, read by clear voices."""
    archive = packages.fetch(packages.package("pytest-audioeval"))
    found = dict(packages.files(archive, SAMPLES))
    return [
        Recording(
            name=str(PurePosixPath(name).with_suffix("")),
            language=name.partition("/")[0],
            text=found[name.removesuffix(".wav") + ".txt"].decode().strip(),
            sound=sound,
        )
        for name, sound in sorted(found.items())
        if name.endswith(".wav")
    ]


def read_aloud() -> list[Recording]:
    """Five sentences of a novel, read by a volunteer of LibriVox."""
    archive = packages.fetch(packages.package("pocketsphinx-testdata"))
    found = dict(packages.files(archive, LIBRIVOX))
    return [
        Recording(
            name=line["name"],
            language="en",
            text=line["text"].replace("a amiable", "amiable"),  # what is said is in the recording
            sound=found[line["name"] + ".wav"],
        )
        for line in _LINE.finditer(found["transcription"].decode())
    ]
