"""Recognising: words with times, partials, the same each time, stopped when nobody listens."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from open_speech import (
    Audio,
    LoadContext,
    Partial,
    Segment,
    TranscriptionEvent,
    TranscriptionRequest,
)
from open_speech.errors import InvalidRequest, ModelNotReady
from open_speech.testing import join, silence
from open_speech_provider_pocketsphinx import PocketsphinxBackend
from open_speech_provider_pocketsphinx.model import PocketsphinxModel

RATE = 16_000
Recording = Callable[[str], Audio]
ORDER = "#JSGF V1.0; grammar g; public <order> = (open | close) the (door | window) [now];"


def events(
    model: PocketsphinxModel, audio: Audio, *, partials: bool = False, grammar: str | None = ORDER
) -> list[TranscriptionEvent]:
    request = TranscriptionRequest(
        audio=audio, grammar=grammar, partials=partials, word_timestamps=True
    )
    return list(filter(None, model.transcribe(request)))


def test_a_sentence_is_a_segment_with_its_words(
    model: PocketsphinxModel, recording: Recording
) -> None:
    audio = recording("open")
    (segment,) = events(model, audio)
    assert isinstance(segment, Segment)
    assert segment.text == "open the window"
    assert [word.text for word in segment.words] == ["open", "the", "window"]
    assert (segment.start, segment.end) == (segment.words[0].start, segment.words[-1].end)
    assert 0 <= segment.start < segment.end <= audio.seconds
    for word, following in pairwise(segment.words):
        assert word.start < word.end <= following.start
    assert all(word.probability and 0 < word.probability <= 1 for word in segment.words)
    assert segment.avg_logprob < 0


def test_times_fit_the_recording(model: PocketsphinxModel, recording: Recording) -> None:
    """The silence put before a sentence moves its words by as much; padding does not show."""
    audio = recording("close")
    (plain,) = events(model, audio)
    (moved,) = events(model, join(silence(2.5), audio))
    assert isinstance(plain, Segment)
    assert isinstance(moved, Segment)
    assert plain.start < 0.2  # espeak starts to speak at once
    for word, other in zip(plain.words, moved.words, strict=True):
        assert other.start - word.start == pytest.approx(2.5, abs=0.12)


def test_pauses_make_segments(model: PocketsphinxModel, recording: Recording) -> None:
    first, second = recording("open"), recording("close")
    found = events(model, join(first, silence(2), second))
    segments = [event for event in found if isinstance(event, Segment)]
    assert [segment.text for segment in segments] == ["open the window", "close the door now"]
    assert segments[1].start == pytest.approx(first.seconds + 2, abs=0.2)


@pytest.mark.parametrize("seconds", [0.0, 0.05, 2.0])
def test_silence_gives_nothing(model: PocketsphinxModel, seconds: float) -> None:
    assert events(model, silence(seconds), partials=True, grammar=None) == []


def test_partials_lead_up_to_the_segment(model: PocketsphinxModel, recording: Recording) -> None:
    audio = recording("late")
    *partials, segment = events(model, audio, partials=True, grammar=None)
    texts = [partial.text for partial in partials if isinstance(partial, Partial)]
    assert len(texts) == len(partials) > 2
    assert len(texts[0]) < len(texts[-1])
    assert all(text != following for text, following in pairwise(texts))
    assert [segment] == events(model, audio, grammar=None)


def test_what_was_heard_before_does_not_matter(
    model: PocketsphinxModel, recording: Recording
) -> None:
    audio, loud = recording("late"), recording("open")
    fresh = PocketsphinxModel(PocketsphinxBackend().list_available()[0])
    first = events(fresh, audio, grammar=None)
    events(fresh, Audio(samples=loud.samples * 0.05, sample_rate=RATE), grammar=None)
    assert events(fresh, audio, grammar=None) == first
    assert events(model, audio, grammar=None) == first


def test_closing_stops_the_engine(model: PocketsphinxModel, recording: Recording) -> None:
    audio = recording("late")
    whole = events(model, audio, grammar=None)
    request = TranscriptionRequest(audio=join(audio, audio), partials=True)
    results = model.transcribe(request)
    assert isinstance(next(filter(None, results)), Partial)
    assert model._engine is not None
    assert model._engine._decoder.n_frames() < 200
    results.close()  # type: ignore[attr-defined]
    assert next(results, None) is None
    assert events(model, audio, grammar=None) == whole  # and the next request works


def test_words_are_given_only_when_asked_for(
    model: PocketsphinxModel, recording: Recording
) -> None:
    request = TranscriptionRequest(audio=recording("open"), grammar=ORDER)
    (segment,) = filter(None, model.transcribe(request))
    assert isinstance(segment, Segment)
    assert segment.words == ()
    assert segment.end > segment.start


@pytest.mark.parametrize("language", ["en", "en-US", "EN-gb"])
def test_english_is_understood(model: PocketsphinxModel, language: str) -> None:
    assert (
        list(
            filter(
                None, model.transcribe(TranscriptionRequest(audio=silence(1), language=language))
            )
        )
        == []
    )


def test_another_language_is_the_caller_s_error(model: PocketsphinxModel) -> None:
    with pytest.raises(InvalidRequest, match="understands English, not 'fr'") as caught:
        list(filter(None, model.transcribe(TranscriptionRequest(audio=silence(1), language="fr"))))
    assert caught.value.param == "language"


def test_close_frees_the_decoder() -> None:
    backend = PocketsphinxBackend()
    model = backend.load(backend.list_available()[0], LoadContext())
    model.close()
    model.close()
    with pytest.raises(ModelNotReady):
        list(filter(None, model.transcribe(TranscriptionRequest(audio=silence(1)))))


def test_it_may_be_stopped_between_any_two_frames(
    model: PocketsphinxModel, recording: Recording
) -> None:
    audio = recording("late")
    results = model.transcribe(TranscriptionRequest(audio=audio))
    assert next(results) is None
    assert model._engine is not None
    assert model._engine._decoder.n_frames() < 100
    results.close()  # type: ignore[attr-defined]
