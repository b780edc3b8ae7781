"""Voices that people have recorded for cloning, and the consents that they gave.

One folder for all processes that share a volume: adding, renaming and deleting take a lock, reading
takes none. A voice that is deleted while somebody speaks with it is heard to the end.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from .._files.lock import FileLock
from .._types.audio import Audio
from ..errors import (
    AudioTooLong,
    Busy,
    InvalidAudio,
    InvalidRequest,
    RecordingConflict,
)
from ..store._files import disk_error
from .recordings import Recording, RecordingId, Recordings, not_found, parse_id, parse_name
from .resolve import DEFAULT

__all__ = [
    "MAX_SECONDS",
    "SAMPLE_RATE",
    "VoiceLibrary",
]


SAMPLE_RATE = 24_000
"""What recordings should be decoded at: as high as any engine that clones listens."""
MIN_SECONDS = 0.5
MAX_SECONDS = 60.0
MAX_VOICES = 100
MAX_CONSENTS = 100
LOCK_WAIT_S = 10.0
CACHED = 4
"""Recordings that stay in memory, at most some megabytes each."""
_VOICE, _CONSENT = "voice", "cons"


class VoiceLibrary:
    """Cloned voices and consents below one folder. Blocks; for any thread.

    What writes raises DiskFull or Unavailable where the folder cannot be written.
    """

    def __init__(self, root: Path, reserved: Collection[str] = ()) -> None:
        """``reserved`` are names, in lower case, that no voice may have."""
        self.root = root
        self._reserved = frozenset({DEFAULT, *reserved})
        self._voices = Recordings(root / "samples", _VOICE)
        self._consents = Recordings(root / "consents", _CONSENT)
        self._cache: OrderedDict[tuple[RecordingId, int], Audio] = OrderedDict()
        self._guard = threading.Lock()

    def voices(self) -> list[Recording]:
        """All voices, the oldest first."""
        return self._voices.list()

    def voice(self, text: str) -> Recording:
        """The voice of an id or a name. Raises RecordingNotFound."""
        if found := self.find(text):
            return found
        raise not_found(text)

    def find(self, text: str) -> Recording | None:
        """The voice of an id, or of a name in whatever case; None if there is none."""
        if recording_id := parse_id(text, _VOICE):
            return self._voices.get(recording_id)
        found = _named(self._voices.list(), text)
        return found[-1] if found else None

    def add_voice(
        self,
        audio: Audio,
        *,
        name: str,
        language: str | None = None,
        transcript: str | None = None,
        consent: str | None = None,
        replacing: bool = False,
    ) -> Recording:
        """Keep a voice. ``consent`` is the id of a consent, or the words in which it was given.

        ``replacing`` puts it in the place of the voice of the same name. Raises RecordingConflict
        for a name that is taken, RecordingNotFound for a consent that is not there, and
        InvalidRequest, InvalidAudio or AudioTooLong for what cannot be kept.
        """
        _check_length(audio)
        wanted = parse_name(name)
        if wanted.casefold() in self._reserved:
            raise _taken(wanted, "it means a voice of every model")
        with self._changing():
            kept = self._voices.list()
            old = _named(kept, wanted)
            if old and not replacing:
                raise _taken(wanted, f"{old[-1].id} has it")
            _check_count(len(kept) - len(old), MAX_VOICES, "voices")
            self._check_consent(consent)
            added = self._voices.add(
                audio, name=wanted, language=language, transcript=transcript, consent=consent
            )
            for each in old:
                self._voices.delete(each.id)
        return added

    def delete_voice(self, text: str) -> Recording:
        """Delete the voice of an id or a name; its consent stays. Raises RecordingNotFound."""
        with self._changing():
            found = self.voice(text)
            self._voices.delete(found.id)
        with self._guard:
            for key in [key for key in self._cache if key[0] == found.id]:
                del self._cache[key]
        return found

    def sound(self, voice: Recording, sample_rate: int) -> Audio:
        """A voice's recording at a rate; the same read-only samples for the next who asks.

        Needs the extra ``audio`` for another rate than it was stored with. Raises
        RecordingNotFound, or InvalidAudio if it is damaged.
        """
        key = (voice.id, sample_rate)
        with self._guard:
            if found := self._cache.get(key):
                self._cache.move_to_end(key)
                return found
        audio = self._voices.read(voice)
        if audio.sample_rate != sample_rate:
            from ..codecs.resample import resample

            audio = resample(audio, sample_rate)
        audio.samples.flags.writeable = False
        with self._guard:
            self._cache[key] = audio
            while len(self._cache) > CACHED:
                self._cache.popitem(last=False)
        return audio

    def consents(self) -> list[Recording]:
        """All consents, the oldest first."""
        return self._consents.list()

    def consent(self, text: str) -> Recording:
        """The consent of an id. Raises RecordingNotFound."""
        found = parse_id(text, _CONSENT)
        consent = self._consents.get(found) if found else None
        if consent is None:
            raise not_found(text)
        return consent

    def add_consent(self, audio: Audio, *, name: str, language: str) -> Recording:
        """Keep the recording of a consent; names of consents may be the same.

        Raises InvalidRequest, InvalidAudio or AudioTooLong for what cannot be kept.
        """
        _check_length(audio)
        with self._changing():
            _check_count(len(self._consents.list()), MAX_CONSENTS, "consents")
            return self._consents.add(audio, name=name, language=language)

    def rename_consent(self, text: str, name: str) -> Recording:
        """Give a consent another name. Raises RecordingNotFound or InvalidRequest."""
        wanted = parse_name(name)
        with self._changing():
            renamed = replace(self.consent(text), name=wanted)
            self._consents.save(renamed)
        return renamed

    def delete_consent(self, text: str) -> Recording:
        """Delete a consent. Raises RecordingNotFound, RecordingConflict while voices rest on it."""
        with self._changing():
            found = self.consent(text)
            resting = [voice.id for voice in self._voices.list() if voice.consent == found.id]
            if resting:
                raise RecordingConflict(
                    f"{len(resting)} cloned voices rest on the consent {found.id}.",
                    hint=f"Delete them first: {', '.join(resting[:5])}.",
                )
            self._consents.delete(found.id)
        return found

    def sweep(self) -> None:
        """Delete what killed processes left behind. Raises as the others do."""
        if self.root.is_dir():
            with self._changing():
                self._voices.sweep()
                self._consents.sweep()

    def _check_consent(self, consent: str | None) -> None:
        """Refuse what looks like a consent's id and is none."""
        if consent and consent.startswith(f"{_CONSENT}_"):
            try:
                self.consent(consent)
            except InvalidRequest as error:
                error.param = "consent"
                raise

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Keep every other writer out, in this process and in others."""
        path = self.root / ".lock"
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            with FileLock(path) as lock:
                if not lock.acquire(threading.Event(), LOCK_WAIT_S):
                    raise Busy("Another process is writing to the voice library.", retry_after=5)
                yield
        except OSError as error:
            raise disk_error(self.root, error) from error


def _named(recordings: list[Recording], name: str) -> list[Recording]:
    """Those of a name: one, or two after a process was killed while it replaced one."""
    folded = name.strip().casefold()
    return [each for each in recordings if each.name.casefold() == folded]


def _taken(name: str, why: str) -> RecordingConflict:
    return RecordingConflict(
        f"The name {name!r} is taken: {why}.", param="name", hint="Choose another name."
    )


def _check_length(audio: Audio) -> None:
    if audio.seconds < MIN_SECONDS:
        raise InvalidAudio(
            f"The recording has {audio.seconds:.2f} seconds; at least {MIN_SECONDS} are needed.",
            hint="Three to thirty seconds of clear speech work best.",
        )
    if audio.seconds > MAX_SECONDS:
        raise AudioTooLong(
            f"The recording has {audio.seconds:.0f} seconds; at most {MAX_SECONDS:.0f} are taken.",
            hint="Three to thirty seconds of clear speech work best.",
        )


def _check_count(count: int, most: int, what: str) -> None:
    if count >= most:
        raise InvalidRequest(
            f"The library holds {count} {what}, which is its limit.", hint="Delete one first."
        )
