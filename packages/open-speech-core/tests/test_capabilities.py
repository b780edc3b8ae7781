"""What a model does not declare is never asked of it."""

from __future__ import annotations

import numpy as np
import pytest

from open_speech import (
    Audio,
    Capability,
    Kind,
    ModelInfo,
    SpeechRequest,
    Task,
    TranscriptionRequest,
    VoiceActivity,
)
from open_speech.capabilities import check_load, check_speech, check_transcription
from open_speech.errors import InvalidRequest, UnsupportedCapability
from open_speech.manifest import ProviderManifest
from open_speech.routing import Offer

SOUND = Audio(samples=np.zeros(10, np.float32), sample_rate=16_000)
SPEECH = {
    Capability.SPEED: {"speed": 1.5},
    Capability.PITCH: {"pitch": 0.8},
    Capability.INSTRUCTIONS: {"instructions": "whisper"},
    Capability.VOICE_CLONE: {"reference": SOUND},
    Capability.SEED: {"seed": 1},
    Capability.WORD_TIMESTAMPS: {"word_timestamps": True},
}
HEARING = {
    Capability.ALIGNMENT: {"known_text": "a"},
    Capability.LANGUAGE_DETECTION: {"languages": ("de", "fr")},
    Capability.TRANSLATION: {"task": Task.TRANSLATE},
    Capability.PROMPT: {"prompt": "before"},
    Capability.KEYWORDS: {"keywords": ("alpha",)},
    Capability.TEMPERATURE: {"temperature": 0.5},
    Capability.WORD_TIMESTAMPS: {"word_timestamps": True},
    Capability.LOGPROBS: {"logprobs": True},
    Capability.PARTIALS: {"partials": True},
    Capability.VOICE_ACTIVITY: {"voice_activity": VoiceActivity()},
    Capability.GRAMMAR: {"grammar": "digits"},
}


@pytest.mark.parametrize("capability", SPEECH)
def test_speech_needs_what_it_asks_for(capability):
    request = SpeechRequest(text="a", voice="b", **SPEECH[capability])
    able = ModelInfo(id="m", kind=Kind.TTS, capabilities=frozenset({capability}))
    check_speech(request, able)
    others = frozenset(SPEECH) - {capability}
    with pytest.raises(UnsupportedCapability, match=capability.value) as caught:
        check_speech(request, ModelInfo(id="m", kind=Kind.TTS, capabilities=others))
    assert caught.value.model == "m"
    assert caught.value.param


@pytest.mark.parametrize("capability", HEARING)
def test_hearing_needs_what_it_asks_for(capability):
    request = TranscriptionRequest(audio=SOUND, **HEARING[capability])
    able = ModelInfo(id="m", kind=Kind.STT, capabilities=frozenset({capability}))
    check_transcription(request, able)
    others = frozenset(HEARING) - {capability}
    with pytest.raises(UnsupportedCapability, match=capability.value):
        check_transcription(request, ModelInfo(id="m", kind=Kind.STT, capabilities=others))


@pytest.mark.parametrize(
    ("known", "expected", "language", "fits"),
    [
        (("en-US",), ("de", "en"), None, True),
        (("en-US",), ("de", "fr"), None, False),
        (("en", "de"), ("de", "fr"), None, False),
        (("en", "de"), ("de", "fr"), "de", True),
        ((), ("de", "fr"), None, False),
    ],
)
def test_what_needs_no_detection_is_served_without(known, expected, language, fits):
    model = ModelInfo(id="m", kind=Kind.STT, languages=known)
    request = TranscriptionRequest(audio=SOUND, languages=expected, language=language)
    if fits:
        check_transcription(request, model)
    else:
        with pytest.raises(UnsupportedCapability, match="language_detection"):
            check_transcription(request, model)


def test_the_plain_job_needs_nothing():
    check_speech(SpeechRequest(text="a", voice="b"), ModelInfo(id="m", kind=Kind.TTS))
    check_transcription(TranscriptionRequest(audio=SOUND), ModelInfo(id="m", kind=Kind.STT))


@pytest.mark.parametrize(
    ("device", "compute_type", "param"),
    [("cuda", None, "device"), ("cpu", "float16", "compute_type"), ("tpu:0", None, "device")],
)
def test_a_load_must_be_possible(device, compute_type, param):
    model = ModelInfo(id="m", kind=Kind.STT, devices=("cpu",), compute_types=("int8",))
    manifest = ProviderManifest(name="p", distribution="p", version="1")
    offer = Offer(provider=manifest, backend="p", model=model)
    check_load(offer, "cpu", "int8")
    check_load(offer, None, None)
    with pytest.raises(InvalidRequest, match=param) as caught:
        check_load(offer, device, compute_type)
    assert caught.value.param == param
