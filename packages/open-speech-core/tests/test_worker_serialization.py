"""Values cross between processes unchanged, and between versions with a shrug."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech import (
    Audio,
    Capability,
    Kind,
    LoadContext,
    ModelInfo,
    ModelSource,
    Segment,
    SpeechRequest,
    Voice,
    Word,
)
from open_speech._types.tokens import TokenKind
from open_speech._worker.serialization import pack, unpack

texts = st.text(max_size=30)
times = st.floats(0, 1e6)
words = st.builds(Word, text=texts, start=times, end=times, probability=st.none() | st.floats(0, 1))
infos = st.builds(
    ModelInfo,
    id=texts,
    kind=st.sampled_from(Kind),
    languages=st.lists(texts, max_size=3).map(tuple),
    capabilities=st.frozensets(st.sampled_from(Capability)),
    voices=st.lists(st.builds(Voice, id=texts, name=texts), max_size=3).map(tuple),
    voice_aliases=st.dictionaries(texts, texts, max_size=3),
    reads=st.dictionaries(texts, st.frozensets(st.sampled_from(TokenKind)), max_size=3),
    sources=st.lists(
        st.builds(ModelSource, repo_id=texts, size_bytes=st.none() | st.integers(0, 2**53)),
        max_size=2,
    ).map(tuple),
    max_text_chars=st.none() | st.integers(1, 9999),
)
segments = st.builds(
    Segment,
    text=texts,
    start=times,
    end=times,
    words=st.lists(words, max_size=3).map(tuple),
    tokens=st.lists(st.integers(0, 99999), max_size=5).map(tuple),
)
options = st.dictionaries(texts, st.booleans() | st.integers(-9, 9) | times | texts, max_size=4)
requests = st.builds(
    SpeechRequest, text=texts, voice=texts, seed=st.none() | st.integers(), options=options
)


@given(st.one_of(infos, segments, requests))
def test_what_is_packed_is_unpacked_the_same(value):
    data = json.loads(json.dumps(pack(value)))
    assert unpack(type(value), data) == value


@given(st.lists(st.floats(-1, 1, width=32), max_size=50), st.integers(4000, 96000))
def test_arrays_travel_beside_the_data(samples, rate):
    audio = Audio(samples=np.array(samples, np.float32), sample_rate=rate)
    buffers: list[memoryview] = []
    data = json.loads(json.dumps(pack(audio, buffers)))
    back = unpack(Audio, data, [bytes(buffer) for buffer in buffers])
    assert back.sample_rate == rate
    assert back.samples.dtype == np.float32
    np.testing.assert_array_equal(back.samples, audio.samples)


def test_a_strided_array_is_packed_as_it_reads():
    samples = np.arange(10, dtype=np.float32)[::2]
    buffers: list[memoryview] = []
    data = pack(Audio(samples=samples, sample_rate=1), buffers)
    np.testing.assert_array_equal(unpack(Audio, data, buffers).samples, samples)


def test_numbers_of_numpy_become_plain_ones():
    word = Word(text="a", start=np.float64(0.5), end=np.float32(1.0), probability=np.float64(0.25))
    assert json.dumps(pack(word))
    assert unpack(Word, pack(word)) == Word(text="a", start=0.5, end=1.0, probability=0.25)


def test_fields_of_a_newer_version_are_skipped():
    data = {**pack(Voice(id="a")), "timbre": {"warm": True}}
    assert unpack(Voice, data) == Voice(id="a")


def test_capabilities_of_a_newer_version_are_dropped():
    data = pack(ModelInfo(id="m", kind=Kind.TTS, capabilities=frozenset({Capability.SEED})))
    data["capabilities"].append("telepathy")
    assert unpack(ModelInfo, data).capabilities == {Capability.SEED}


def test_fields_of_an_older_version_take_their_defaults():
    assert unpack(Voice, {"id": "a"}) == Voice(id="a")


def test_paths_are_paths_again():
    context = LoadContext(paths={"model": Path("/weights")}, device="cuda:1", options={"a": True})
    assert unpack(LoadContext, pack(context)) == context


@pytest.mark.parametrize(
    ("expected", "data"),
    [(Voice, 3), (Voice, {}), (Kind, "smell"), (Audio, {"samples": [], "sample_rate": 1}),
     (tuple[int, ...], "text"), (int, "3"), (Voice | Word, {"$type": "Audio"})],
)  # fmt: skip
def test_data_of_another_type_is_refused(expected, data):
    with pytest.raises((TypeError, ValueError)):
        unpack(expected, data)


@pytest.mark.parametrize("value", [object(), {"a": object()}, b"raw", np.zeros(3)])
def test_what_is_none_of_ours_is_refused(value):
    with pytest.raises(TypeError):
        pack(value)
