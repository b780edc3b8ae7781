"""The page of voices against what the library lists."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pytest

from open_speech_provider_espeak import _library
from open_speech_provider_espeak.voices import (
    OPENAI_VARIANTS,
    VARIANTS,
    VOICES,
    EspeakVoice,
    best_match,
)

GENDERS = {1: "male", 2: "female"}


class _Voice(ctypes.Structure):
    """``espeak_VOICE`` of speak_lib.h, its private tail left out."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
    )


def _languages(address: int) -> Iterator[str]:
    """Read the library's list: a priority byte and a string each, until a zero."""
    while ctypes.string_at(address, 1) != b"\0":
        tag = ctypes.string_at(address + 1)
        yield tag.decode()
        address += 2 + len(tag)


def _listed(kind: bytes | None = None) -> list[tuple[str, str, tuple[str, ...], int]]:
    """What the library lists: identifier, name, languages, gender."""
    wanted = _Voice(languages=ctypes.cast(ctypes.c_char_p(kind), ctypes.c_void_p))
    with _library._fresh_library() as library:
        library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        # The library reads beyond the public fields: give it a zeroed page to read from.
        page = ctypes.create_string_buffer(bytes(wanted), 256)
        found = library.espeak_ListVoices(page if kind else None)
        result, index = [], 0
        while found[index]:
            voice = found[index].contents
            languages = tuple(_languages(voice.languages))
            names = voice.identifier.decode(), voice.name.decode().strip()
            result.append((*names, languages, voice.gender))
            index += 1
        return result


def _tag(language: str) -> str:
    """The page's form of the library's tag: lower case, public, and what ISO 639 knows."""
    public = language.lower().partition("-x-")[0]
    return {"piqd": "tlh", "chr-us-qaaa": "chr"}.get(public, public)


def test_the_page_is_what_the_library_lists() -> None:
    page = {
        (voice.identifier, voice.name, tuple(tag.lower() for tag in voice.languages))
        for voice in VOICES.values()
    }
    library = {
        (identifier, name, tuple(dict.fromkeys(map(_tag, languages))))
        for identifier, name, languages, _ in _listed()
    }
    assert page == library
    assert len(page) == len(VOICES)


def test_the_timbres_exist_with_their_gender() -> None:
    listed = {
        identifier.removeprefix("!v/"): GENDERS[gender]
        for identifier, _, _, gender in _listed(b"variant")
    }
    assert VARIANTS.items() <= listed.items()
    assert set(OPENAI_VARIANTS.values()) == set(VARIANTS)


@pytest.mark.parametrize("voice", VOICES.values())
def test_an_id_is_the_first_language_or_the_file(voice: EspeakVoice) -> None:
    file = voice.identifier.rpartition("/")[2]
    assert voice.id in {voice.languages[0].lower(), file.lower()}


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("fr", "fr-fr"),
        ("fr-BE", "fr-be"),
        ("pt-BR", "pt-br"),
        ("pt", "pt"),
        ("zh", "cmn"),
        ("no", "nb"),
        ("EN-us", "en-us"),
        ("en-GB", "en-gb"),
        ("en", "en-gb"),
        ("en-AU", "en-gb"),
        ("es-MX", "es-419"),
        ("tlh", "piqd"),
        ("xx", None),
        ("", None),
    ],
)
def test_best_match(language: str, voice: str | None) -> None:
    found = best_match(language)
    assert (found.id if found else None) == voice
