"""espeak-ng's C interface, as far as speaking needs it (``speak_lib.h``, library 1.52).

Why ctypes over the ``espeakng-loader`` wheel: the bindings on the package index start the
``espeak-ng`` program for each call (py-espeak-ng, espeakng) or want the system's headers at
install time (python-espeak-ng); none of them hands out word events as the sound is made. The
loader is the one that brings library and data along, and six functions are all it takes.

The library is one set of globals for the whole process, and its pitch flutter and noise run on
from one utterance to the next. So each sentence gets a freshly loaded library, which takes a
few milliseconds: a sentence always sounds the same, whatever was said before it and by whom.
"""

from __future__ import annotations

import _ctypes
import ctypes
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

from open_speech.errors import ModelLoadFailed, ProviderError

SAMPLE_RATE = 22_050
"""Samples per second of every voice in the wheel."""

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: no thread, no sound card, the callback gets it all
_DONT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT: report missing data, do not end the process
_RATE, _PITCH = 1, 3  # espeak_PARAMETER
_CHARACTERS = 1  # POS_CHARACTER
_UTF8_AND_END_PAUSE = 0x1 | 0x1000  # espeakCHARS_UTF8, espeakENDPAUSE
_WORD, _SENTENCE = 1, 2  # espeak_EVENT_TYPE; 0 ends a list

_lock = threading.Lock()


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True, kw_only=True)
class WordEvent:
    """The library begins to speak a word, or a part of one."""

    position: int
    """Index of its first character in the text."""
    length: int
    """In characters."""
    sample: int
    """Index of its first sample in the sound."""


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """The first sentence of a text, spoken."""

    pcm: NDArray[np.int16]
    events: tuple[WordEvent, ...]
    length: int
    """Characters of the text that it took, the space after it included."""


def speak_sentence(text: str, *, voice: str, rate: int, pitch: int) -> Sentence:
    """Speak the first sentence of ``text``. Any thread; one at a time in a process.

    ``voice`` is the library's own name for it, ``rate`` in words per minute, ``pitch`` 0 to 100.
    """
    collected = _Collector()
    with _lock, _fresh_library() as library:
        library.espeak_SetSynthCallback(callback := _Callback(collected))
        if library.espeak_SetVoiceByName(voice.encode()):
            raise ProviderError(
                f"espeak-ng cannot load its voice {voice!r}.",
                provider="espeak",
                hint="Install espeakng-loader again: its data does not match this provider.",
            )
        library.espeak_SetParameter(_RATE, rate, 0)
        library.espeak_SetParameter(_PITCH, pitch, 0)
        data = text.encode(errors="replace") + b"\0"
        size, flags = ctypes.c_size_t(len(data)), _UTF8_AND_END_PAUSE
        library.espeak_Synth(data, size, 0, _CHARACTERS, 0, flags, None, None)
        del callback  # until here the library holds a pointer into it
    return collected.sentence(len(text))


class _Collector:
    """Takes sound and events until the second sentence begins, then stops the library."""

    def __init__(self) -> None:
        self._chunks: list[NDArray[np.int16]] = []
        self._words: list[WordEvent] = []
        self._end: int | None = None

    def __call__(self, wav: ctypes._Pointer[ctypes.c_short], count: int, events: object) -> int:
        for event in _listed(events):
            if event.type == _SENTENCE and self._chunks and event.text_position > 1:
                self._end = event.text_position - 1  # the library counts from 1
                return 1  # this chunk is the next sentence's
            if event.type == _WORD:
                self._words.append(
                    WordEvent(
                        position=event.text_position - 1, length=event.length, sample=event.sample
                    )
                )
        if count:
            self._chunks.append(np.ctypeslib.as_array(wav, (count,)).copy())
        return 0

    def sentence(self, text_length: int) -> Sentence:
        """What was collected."""
        pcm = np.concatenate(self._chunks) if self._chunks else np.zeros(0, np.int16)
        end = text_length if self._end is None else min(self._end, text_length)
        return Sentence(pcm=pcm, events=tuple(self._words), length=end)


def _listed(events: object) -> Iterator[_Event]:
    index = 0
    while (event := events[index]).type:  # type: ignore[index]
        yield event
        index += 1


@cache
def _own_copy() -> str:
    """A path of the library that nobody else in this process loads, where the system has one.

    A phonemizer of another engine may hold the library, which then could not be unloaded: its
    state would go on from sentence to sentence. The copy is in memory, so that nothing is left.
    """
    path = espeakng_loader.get_library_path()
    if not hasattr(os, "memfd_create"):
        return str(path)
    copy = os.memfd_create("espeak-ng")
    with Path(path).open("rb") as library, open(copy, "wb", closefd=False) as file:
        shutil.copyfileobj(library, file)
    return f"/proc/self/fd/{copy}"


@contextmanager
def _fresh_library() -> Iterator[ctypes.CDLL]:
    """Load the library, and unload it for good where the platform can."""
    try:
        library = ctypes.CDLL(_own_copy())
    except OSError as error:
        raise ModelLoadFailed(
            f"espeak-ng cannot be loaded: {error}.",
            provider="espeak",
            hint="Install espeakng-loader for this platform.",
        ) from error
    try:
        data_path = espeakng_loader.get_data_path().encode()
        if library.espeak_Initialize(_SYNCHRONOUS, 0, data_path, _DONT_EXIT) != SAMPLE_RATE:
            raise ModelLoadFailed(
                f"espeak-ng does not find its data in {data_path.decode()}.",
                provider="espeak",
                hint="Install espeakng-loader again.",
            )
        yield library
    finally:
        library.espeak_Terminate()
        _unload(library._handle)  # noqa: SLF001 - there is no other way to its handle


_unload: Callable[[int], None]
if sys.platform == "win32":
    _unload = _ctypes.FreeLibrary
else:
    _unload = _ctypes.dlclose
