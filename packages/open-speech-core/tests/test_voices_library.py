"""Cloned voices and consents: whole or not at all, for all processes alike."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from open_speech.errors import (
    AudioTooLong,
    Busy,
    InvalidAudio,
    InvalidRequest,
    RecordingConflict,
    RecordingNotFound,
    Unavailable,
)
from open_speech.testing import sine
from open_speech.voices import library as voice_library
from open_speech.voices.library import CACHED, MAX_VOICES, VoiceLibrary

CHILD = Path(__file__).with_name("voices_child.py")
SOUND = sine(0.5, sample_rate=24_000)


@pytest.fixture
def library(tmp_path):
    return VoiceLibrary(tmp_path / "voices", reserved=("alloy", "nova"))


def test_a_voice_is_found_by_id_and_by_name(library):
    added = library.add_voice(SOUND, name="Ada Lovelace")
    assert library.voice(added.id) == library.voice("ada lovelace") == added
    assert library.find("Ada") is None
    with pytest.raises(RecordingNotFound, match="Ada"):
        library.voice("Ada")


@pytest.mark.parametrize("text", ["..", "../voices", "a\0", "", "voice_" + "a" * 24, "a" * 10_000])
def test_a_hostile_id_is_not_found(library, text):
    library.add_voice(SOUND, name="Ada")
    for call in (library.voice, library.consent, library.delete_voice, library.delete_consent):
        with pytest.raises(RecordingNotFound):
            call(text)


@pytest.mark.parametrize("name", ["Ada", "ada", " ADA "])
def test_a_name_is_given_once(library, name):
    first = library.add_voice(SOUND, name="Ada")
    with pytest.raises(RecordingConflict, match=first.id):
        library.add_voice(SOUND, name=name)
    second = library.add_voice(SOUND, name=name, replacing=True)
    assert library.voices() == [second]


@pytest.mark.parametrize("name", ["default", "Alloy", "NOVA"])
def test_a_name_that_every_model_knows_is_refused(library, name):
    with pytest.raises(RecordingConflict):
        library.add_voice(SOUND, name=name)


def test_recordings_have_a_shortest_and_a_longest(library):
    with pytest.raises(InvalidAudio):
        library.add_voice(sine(0.4), name="Ada")
    with pytest.raises(AudioTooLong):
        library.add_voice(sine(60.1, sample_rate=8_000), name="Ada")
    with pytest.raises(InvalidAudio):
        library.add_consent(sine(0.4), name="Ada", language="en")
    assert library.voices() == library.consents() == []


def test_the_number_of_voices_is_bounded(library, monkeypatch):
    monkeypatch.setattr(voice_library, "MAX_VOICES", 2)
    for name in ("a", "b"):
        library.add_voice(SOUND, name=name)
    with pytest.raises(InvalidRequest, match="2 voices"):
        library.add_voice(SOUND, name="c")
    library.add_voice(SOUND, name="b", replacing=True)
    assert MAX_VOICES == 100


def test_a_consent_stays_while_a_voice_rests_on_it(library):
    consent = library.add_consent(SOUND, name="Ada", language="en")
    voice = library.add_voice(SOUND, name="Ada", consent=consent.id)
    with pytest.raises(RecordingConflict, match=voice.id):
        library.delete_consent(consent.id)
    library.delete_voice(voice.id)
    assert library.consents() == [consent]
    library.delete_consent(consent.id)
    assert library.consents() == []


def test_a_consent_that_is_not_there_is_refused(library):
    with pytest.raises(RecordingNotFound) as caught:
        library.add_voice(SOUND, name="Ada", consent="cons_1234")
    assert caught.value.param == "consent"
    assert library.add_voice(SOUND, name="Ada", consent="I agree.").consent == "I agree."


def test_a_consent_is_renamed(library):
    consent = library.add_consent(SOUND, name="Ada", language="en")
    renamed = library.rename_consent(consent.id, "Lovelace")
    assert library.consents() == [renamed]
    assert (renamed.id, renamed.name) == (consent.id, "Lovelace")
    with pytest.raises(InvalidRequest):
        library.rename_consent(consent.id, "../x")


def test_a_sound_comes_at_the_rate_asked_for_and_is_kept(library):
    voice = library.add_voice(sine(1.0, frequency=300.0, sample_rate=24_000), name="Ada")
    for rate in (16_000, 24_000, 44_100):
        sound = library.sound(voice, rate)
        assert (sound.sample_rate, len(sound.samples)) == (rate, rate)
        assert np.argmax(np.abs(np.fft.rfft(sound.samples))) == 300
        assert library.sound(voice, rate) is sound
        with pytest.raises(ValueError, match="read-only"):
            sound.samples[0] = 1.0


def test_few_sounds_are_kept(library):
    voices = [library.add_voice(SOUND, name=f"n{number}") for number in range(CACHED + 1)]
    sounds = [library.sound(voice, 24_000) for voice in voices]
    assert library.sound(voices[-1], 24_000) is sounds[-1]
    assert library.sound(voices[0], 24_000) is not sounds[0]


def test_a_deleted_voice_is_heard_to_the_end_and_no_longer(library):
    voice = library.add_voice(SOUND, name="Ada")
    sound = library.sound(voice, 24_000)
    library.delete_voice("ada")
    assert len(sound.samples) == len(SOUND.samples)
    with pytest.raises(RecordingNotFound):
        library.sound(voice, 24_000)


def test_every_file_is_for_its_owner_alone(library):
    library.add_voice(SOUND, name="Ada")
    library.add_consent(SOUND, name="Ada", language="en")
    for path in [library.root, *library.root.rglob("*")]:
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_reading_needs_no_folder(tmp_path):
    library = VoiceLibrary(tmp_path / "none")
    assert library.voices() == library.consents() == []
    library.sweep()
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    library = VoiceLibrary(tmp_path / "file" / "voices")
    with pytest.raises(Unavailable, match="file"):
        library.add_voice(SOUND, name="Ada")


class Library(RuleBasedStateMachine):
    """Two handles on one folder against a dictionary."""

    names = st.sampled_from(["a", "A", "b", "c", "d"])
    handles = st.sampled_from([0, 1])

    @initialize()
    def begin(self) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.libraries = [VoiceLibrary(Path(self.folder.name)) for _ in range(2)]
        self.model: dict[str, str] = {}
        self.sounds: dict[str, float] = {}
        self.count = 0

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(handle=handles, name=names, replacing=st.booleans())
    def add(self, handle: int, name: str, replacing: bool) -> None:
        self.count += 1
        amplitude = 1 / (1 + self.count % 50)
        sound = sine(0.5, sample_rate=8_000, amplitude=amplitude)
        try:
            added = self.libraries[handle].add_voice(sound, name=name, replacing=replacing)
        except RecordingConflict:
            assert name.casefold() in self.model
            assert not replacing
            return
        assert replacing or name.casefold() not in self.model
        self.model[name.casefold()] = added.id
        self.sounds[added.id] = amplitude

    @rule(handle=handles, name=names, by_id=st.booleans())
    def delete(self, handle: int, name: str, by_id: bool) -> None:
        known = self.model.get(name.casefold())
        text = known if known and by_id else name
        try:
            found = self.libraries[handle].delete_voice(text)
        except RecordingNotFound:
            assert known is None
            return
        assert found.id == known
        del self.model[name.casefold()]

    @rule(handle=handles, name=names)
    def hear(self, handle: int, name: str) -> None:
        library = self.libraries[handle]
        found = library.find(name)
        assert (found.id if found else None) == self.model.get(name.casefold())
        if found:
            peak = float(np.abs(library.sound(found, 8_000).samples).max())
            assert abs(peak - self.sounds[found.id]) < 0.02

    @rule(handle=handles)
    def sweep(self, handle: int) -> None:
        self.libraries[handle].sweep()

    @invariant()
    def both_list_the_same(self) -> None:
        for library in self.libraries:
            assert {voice.id for voice in library.voices()} == set(self.model.values())
        files = [path for path in Path(self.folder.name).rglob("*") if path.is_file()]
        assert len([path for path in files if path.name != ".lock"]) == 2 * len(self.model)


Library.TestCase.settings = settings(max_examples=20, stateful_step_count=20)
TestLibrary = Library.TestCase


def test_of_many_who_want_a_name_one_gets_it(tmp_path):
    libraries = [VoiceLibrary(tmp_path) for _ in range(8)]

    def add(library: VoiceLibrary) -> bool:
        try:
            library.add_voice(SOUND, name="Ada")
        except RecordingConflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(add, libraries)) == 1
    assert len(libraries[0].voices()) == 1


@pytest.fixture
def run_child(library) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    with ExitStack() as stack:

        def run(verb: str) -> subprocess.Popen[str]:
            command = [sys.executable, str(CHILD), verb, str(library.root)]
            pipe = subprocess.PIPE
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
            return stack.enter_context(process)

        yield run


def _ask(process: subprocess.Popen[str], line: str) -> str:
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


@pytest.mark.parametrize("verb", ["add", "replace", "delete"])
def test_a_process_killed_at_any_step_leaves_nothing_half(library, run_child, verb):
    """Before each call that the disk sees: the voice is there with all of its sound, or not."""
    child = run_child("write")
    for step in range(1, 100):
        if verb != "add":
            library.add_voice(sine(2.0, sample_rate=24_000), name="Ada", replacing=True)
        end = _ask(child, f"{verb} Ada {step}")
        for voice in library.voices():  # of a replaced one the old may be there as well
            assert library.sound(voice, 24_000).seconds in {1.0, 2.0}
        assert len(library.voices()) <= (2 if verb == "replace" else 1)
        library.add_voice(SOUND, name="Ada", replacing=True)  # no lock stays behind
        assert len(library.voices()) == 1
        library.delete_voice("Ada")
        if end == "ended":
            break
    assert step > 3
    folder = library.root / "samples"
    assert list(folder.iterdir())  # what a killed one leaves is not taken for a voice
    for path in folder.iterdir():
        os.utime(path, (0, 0))
    library.sweep()
    assert list(folder.iterdir()) == []


def test_a_process_killed_while_renaming_loses_nothing(library, run_child):
    consent = library.add_consent(SOUND, name="Before", language="en")
    child = run_child("write")
    for step in range(1, 100):
        end = _ask(child, f"rename After {step}")
        (found,) = library.consents()
        assert found.id == consent.id
        assert found.name == "After" or (end == "killed" and found.name == "Before")
        if end == "ended":
            break
    assert step > 3


def test_a_writer_waits_for_another_process_but_not_for_ever(library, monkeypatch, run_child):
    library.add_voice(SOUND, name="Ada")
    monkeypatch.setattr(voice_library, "LOCK_WAIT_S", 0.1)
    holder = run_child("hold")
    assert holder.stdout.readline() == "holding\n"
    with pytest.raises(Busy):
        library.delete_voice("Ada")
    assert [voice.name for voice in library.voices()] == ["Ada"]  # reading waits for nobody
    holder.communicate("\n", timeout=60)
    library.delete_voice("Ada")
