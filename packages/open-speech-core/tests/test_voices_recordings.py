"""Recordings on disk: names, ids, and records that may be anything."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech.errors import InvalidAudio, InvalidRequest, RecordingNotFound
from open_speech.testing import sine
from open_speech.voices.recordings import (
    ORPHAN_AGE_S,
    Recordings,
    parse_id,
    parse_name,
)

HOSTILE = [
    "", " ", ".", "..", "../canary", "/etc/passwd", "a/b", "a\\b", "C:\\x", "a\0b", "a\nb",
    "\x1b[31m", "\u202egnp", "\ud800", "a" * 65, "a" * 10_000, "\u2028", "voice_" + "0" * 24,
]  # fmt: skip


@pytest.fixture
def recordings(tmp_path):
    return Recordings(tmp_path / "samples", "voice")


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:20]))
def test_a_hostile_name_is_refused(recordings, name):
    with pytest.raises(InvalidRequest) as caught:
        recordings.add(sine(), name=name)
    assert caught.value.param == "name"
    assert list(recordings.folder.glob("*.json")) == []


@given(st.text(max_size=80))
def test_a_name_that_passes_is_one_printable_line(text):
    try:
        name = parse_name(text)
    except InvalidRequest:
        return
    assert 0 < len(name) <= 64
    assert name.isprintable()
    assert not set(name) & set("/\\\0")
    assert parse_name(name) == name


@given(st.text(max_size=80) | st.from_regex(r"voice_[0-9a-f]{20,26}\n?", fullmatch=True))
def test_an_id_that_passes_is_a_plain_file_name(text):
    found = parse_id(text, "voice")
    if found is not None:
        assert found.isascii()
        assert len(found) == 30
        assert found.replace("_", "").isalnum()


def test_what_was_added_is_read_back(recordings):
    sound = sine(1.5, sample_rate=24_000)
    added = recordings.add(
        sound, name="  Ada  ", language="en-GB", transcript=" Hello. ", consent="yes"
    )
    assert recordings.list() == [added] == [recordings.get(added.id)]
    assert (added.name, added.transcript, added.seconds) == ("Ada", "Hello.", 1.5)
    audio = recordings.read(added)
    assert audio.sample_rate == 24_000
    np.testing.assert_allclose(audio.samples, sound.samples, atol=1 / 32_767)


def test_files_are_for_their_owner_alone(recordings):
    before = os.umask(0)
    try:
        recordings.add(sine(), name="Ada")
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in recordings.folder.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(recordings.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("field", "value"),
    [("language", "no language"), ("language", "../x"), ("transcript", "a" * 2_001),
     ("consent", "\ud800")],
)  # fmt: skip
def test_details_that_cannot_be_kept_are_refused(recordings, field, value):
    with pytest.raises(InvalidRequest) as caught:
        recordings.add(sine(), name="Ada", **{field: value})
    assert caught.value.param == field


def test_a_damaged_sound_is_refused(recordings):
    added = recordings.add(sine(), name="Ada")
    path = recordings.folder / f"{added.id}.wav"
    data = bytearray(path.read_bytes())
    data[1_000] ^= 1
    path.write_bytes(data)
    with pytest.raises(InvalidAudio, match="damaged"):
        recordings.read(added)


def test_a_sound_that_went_meanwhile_is_not_found(recordings):
    added = recordings.add(sine(), name="Ada")
    recordings.delete(added.id)
    with pytest.raises(RecordingNotFound):
        recordings.read(added)
    assert list(recordings.folder.iterdir()) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(data=st.data())
def test_a_record_that_is_not_right_is_none(tmp_path_factory, data):
    recordings = Recordings(tmp_path_factory.mktemp("r"), "voice")
    added = recordings.add(sine(0.01), name="Ada")
    path = recordings.folder / f"{added.id}.json"
    record = json.loads(path.read_text())
    field = data.draw(st.sampled_from([*record, "further"]))
    record[field] = data.draw(JSON)
    path.write_text(json.dumps(record))
    for found in recordings.list():
        assert found.id == added.id
        assert parse_name(found.name) == found.name
        assert found.seconds >= 0
        json.dumps(asdict(found), allow_nan=False)
        try:
            recordings.read(found)
        except InvalidAudio:
            assert field == "sha256"


@pytest.mark.parametrize("text", ["", "null", "[]", "{", "[" * 100_000, '{"version": 1}', "\xff"])
def test_a_file_that_is_no_record_is_none(recordings, text):
    added = recordings.add(sine(), name="Ada")
    (recordings.folder / f"{added.id}.json").write_text(text, encoding="latin-1")
    assert recordings.list() == []


def test_what_a_later_version_adds_is_skipped_and_kept(recordings):
    added = recordings.add(sine(), name="Ada")
    path = recordings.folder / f"{added.id}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "mood": ["glad"]}))
    assert recordings.list() == [added]
    recordings.save(replace(added, name=parse_name("Eva")))
    assert [each.name for each in recordings.list()] == ["Eva"]
    assert json.loads(path.read_text())["mood"] == ["glad"]


def test_a_record_of_an_earlier_version_may_lack_what_is_optional(recordings):
    added = recordings.add(sine(), name="Ada")
    path = recordings.folder / f"{added.id}.json"
    record = json.loads(path.read_text())
    del record["consent"], record["language"]
    path.write_text(json.dumps(record))
    assert recordings.list() == [added]
    del record["sha256"]
    path.write_text(json.dumps(record))
    assert recordings.list() == []


def test_a_record_of_a_later_form_is_told_of_once_and_kept(recordings, caplog):
    added = recordings.add(sine(), name="Ada")
    path = recordings.folder / f"{added.id}.json"
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    assert recordings.list() == [] == recordings.list()
    (told,) = (record.getMessage() for record in caplog.records)
    assert str(path) in told
    assert "later version" in told
    for each in recordings.folder.iterdir():
        os.utime(each, (0, 0))
    recordings.sweep()
    assert len(list(recordings.folder.iterdir())) == 2


@pytest.mark.parametrize("sound", [b"", b"RIFF", b"RIFF\xff\xff\xff\xffWAVEfmt "])
def test_a_wav_file_that_somebody_put_there_is_refused(recordings, sound):
    from hashlib import sha256

    added = recordings.add(sine(), name="Ada")
    (recordings.folder / f"{added.id}.wav").write_bytes(sound)
    record = recordings.folder / f"{added.id}.json"
    record.write_text(record.read_text().replace(added.sha256, sha256(sound).hexdigest()))
    (found,) = recordings.list()
    with pytest.raises(InvalidAudio):
        recordings.read(found)


def test_a_link_out_of_the_folder_is_not_followed_by_deleting(recordings, tmp_path):
    canary = tmp_path / "canary"
    canary.write_text("mine")
    added = recordings.add(sine(), name="Ada")
    path = recordings.folder / f"{added.id}.wav"
    path.unlink()
    path.symlink_to(canary)
    recordings.delete(added.id)
    assert canary.read_text() == "mine"
    assert list(recordings.folder.iterdir()) == []


def test_sweeping_takes_old_orphans_alone(recordings):
    whole = recordings.add(sine(), name="Ada")
    orphan = recordings.folder / f"voice_{'0' * 24}.wav"
    leftover = recordings.folder / "0123.tmp"
    foreign = recordings.folder / "notes.txt"
    for path in (orphan, leftover, foreign):
        path.write_bytes(b"x")
    recordings.sweep()
    assert orphan.exists()
    assert leftover.exists()
    old = leftover.stat().st_mtime - ORPHAN_AGE_S - 1
    for path in recordings.folder.iterdir():
        os.utime(path, (old, old))
    recordings.sweep()
    assert not orphan.exists()
    assert not leftover.exists()
    assert foreign.exists()
    assert recordings.list() == [whole]
