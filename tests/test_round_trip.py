"""The embedded engines talk to each other: through the provider as well as without it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from pocketsphinx import Decoder

from open_speech import Audio, LoadContext, Segment, TranscriptionRequest
from open_speech_provider_pocketsphinx import PocketsphinxBackend
from open_speech_provider_pocketsphinx.grammars import NAMED
from round_trip import DIGITS, SENTENCES, Hear, spoken, understood


@pytest.fixture(scope="module")
def by_provider() -> Hear:
    """Hear through the provider."""
    backend = PocketsphinxBackend()
    model = backend.load(backend.list_available()[0], LoadContext())

    def hear(audio: Audio, grammar: str | None) -> str:
        events = model.transcribe(TranscriptionRequest(audio=audio, grammar=grammar))
        return " ".join(event.text for event in events if isinstance(event, Segment))

    return hear


@pytest.fixture(scope="module")
def by_engine() -> Hear:
    """Hear with the bare engine, each recording in one piece, conditioned as the provider does."""
    decoder = Decoder(samprate=16_000, loglevel="FATAL")
    decoder.add_jsgf_string("level", "#JSGF V1.0; grammar level; public <level> = a;")

    def decode(data: bytes, search: str, *, whole: bool) -> str:
        decoder.activate_search(search)
        decoder.start_utt()
        decoder.process_raw(data, full_utt=whole)
        decoder.end_utt()
        hypothesis = decoder.hyp()
        return hypothesis.hypstr if hypothesis else ""

    def hear(audio: Audio, grammar: str | None) -> str:
        pause = np.zeros(4_800)
        loud = np.concatenate([pause, audio.samples * np.float32(0.5), pause]) * 32_767
        noisy = loud + np.random.default_rng(0).normal(0, 20, len(loud))
        data = np.rint(noisy).astype(np.int16).tobytes()
        decoder.reinit_feat()
        decode(data, "level", whole=True)
        decoder.set_cmn(decoder.get_cmn())
        if grammar:
            decoder.add_jsgf_string("grammar", NAMED[grammar])
        return decode(data, "grammar" if grammar else "_default", whole=False)

    return hear


@pytest.mark.timeout(600)  # the engine needs more than a minute of a core for this
@pytest.mark.parametrize(
    ("texts", "grammar", "bound"), [(SENTENCES, None, 0.8), (DIGITS, "digits", 0.3)]
)
def test_the_provider_hears_what_the_engine_hears(
    by_provider: Hear, by_engine: Hear, texts: Sequence[str], grammar: str | None, bound: float
) -> None:
    # Spoken once: in a process that has spoken before, espeak-ng's flutter goes on where it was.
    sounds = spoken(texts)
    ours, bare = (understood(texts, sounds, hear, grammar) for hear in (by_provider, by_engine))
    print(f"\n{grammar or 'free'}: word error rate {ours.word_error_rate:.1%}")  # noqa: T201
    assert ours == bare
    assert ours.word_error_rate < bound
