"""What a model does not declare is never asked of it."""

from __future__ import annotations

import numpy as np
import pytest

from open_speech import (
    AlignmentRequest,
    Audio,
    Capability,
    Kind,
    ModelInfo,
    SpeechRequest,
    Task,
    TranscriptionRequest,
    VoiceActivity,
)
from open_speech._operations import ALIGN, SYNTHESIZE, TRANSCRIBE
from open_speech._operations.capabilities import check_load, require_operation
from open_speech._plugins.manifest import BackendManifest, ProviderManifest
from open_speech._plugins.resolution import ResolvedModel
from open_speech.errors import InvalidRequest, UnsupportedCapability

SOUND = Audio(samples=np.zeros(10, np.float32), sample_rate=16_000)
SPEECH = {
    Capability.PITCH: {"pitch": 0.8},
    Capability.INSTRUCTIONS: {"instructions": "whisper"},
    Capability.VOICE_CLONE: {"reference": SOUND},
    Capability.SEED: {"seed": 1},
    Capability.WORD_TIMESTAMPS: {"word_timestamps": True},
}
HEARING = {
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
    SYNTHESIZE.check(request, able)
    others = frozenset(SPEECH) - {capability}
    with pytest.raises(UnsupportedCapability, match=capability.value) as caught:
        SYNTHESIZE.check(request, ModelInfo(id="m", kind=Kind.TTS, capabilities=others))
    assert caught.value.model == "m"
    assert caught.value.param


@pytest.mark.parametrize("speed", [0.5, 1.0, 1.5])
def test_a_speed_is_one_of_those_that_are_declared(speed):
    request = SpeechRequest(text="a", voice="b", speed=speed)
    SYNTHESIZE.check(request, ModelInfo(id="m", kind=Kind.TTS, speeds=(0.5, 1.5)))
    plain = ModelInfo(id="m", kind=Kind.TTS, speeds=(0.9, 1.1))
    if speed == 1.0:
        SYNTHESIZE.check(request, plain)
        return
    with pytest.raises(UnsupportedCapability, match=r"from 0\.9 to 1\.1") as caught:
        SYNTHESIZE.check(request, plain)
    assert caught.value.param == "speed"


@pytest.mark.parametrize("capability", HEARING)
def test_hearing_needs_what_it_asks_for(capability):
    request = TranscriptionRequest(audio=SOUND, **HEARING[capability])
    able = ModelInfo(id="m", kind=Kind.STT, capabilities=frozenset({capability}))
    TRANSCRIBE.check(request, able)
    others = frozenset(HEARING) - {capability}
    with pytest.raises(UnsupportedCapability, match=capability.value):
        TRANSCRIBE.check(request, ModelInfo(id="m", kind=Kind.STT, capabilities=others))


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
        TRANSCRIBE.check(request, model)
    else:
        with pytest.raises(UnsupportedCapability, match="language_detection"):
            TRANSCRIBE.check(request, model)


def test_the_plain_job_needs_nothing():
    SYNTHESIZE.check(SpeechRequest(text="a", voice="b"), ModelInfo(id="m", kind=Kind.TTS))
    TRANSCRIBE.check(TranscriptionRequest(audio=SOUND), ModelInfo(id="m", kind=Kind.STT))


@pytest.mark.parametrize(
    ("device", "compute_type", "param"),
    [("cuda", None, "device"), ("cpu", "float16", "compute_type"), ("tpu:0", None, "device")],
)
def test_a_load_must_be_possible(device, compute_type, param):
    model = ModelInfo(id="m", kind=Kind.STT, devices=("cpu",), compute_types=("int8",))
    manifest = ProviderManifest(name="p", distribution="p", version="1")
    resolved = ResolvedModel(provider=manifest, backend="p", model=model)
    check_load(resolved, "cpu", "int8")
    check_load(resolved, None, None)
    with pytest.raises(InvalidRequest, match=param) as caught:
        check_load(resolved, device, compute_type)
    assert caught.value.param == param


def test_an_operation_needs_its_capability():
    request = AlignmentRequest(audio=SOUND, text="a")
    able = frozenset({Capability.ALIGNMENT})
    ALIGN.check(request, ModelInfo(id="m", kind=Kind.STT, capabilities=able))
    with pytest.raises(UnsupportedCapability, match="alignment"):
        ALIGN.check(request, ModelInfo(id="m", kind=Kind.STT))


@pytest.mark.parametrize(
    ("told", "fits"), [(("transcribe",), False), (("align",), True), ((), True)]
)
def test_an_operation_must_be_one_of_the_backends(told, fits):
    backend = BackendManifest(name="b", kind=Kind.STT, operations=told)
    manifest = ProviderManifest(name="p", distribution="p", version="1", backends=(backend,))
    resolved = ResolvedModel(provider=manifest, backend="b", model=ModelInfo(id="m", kind=Kind.STT))
    if fits:
        require_operation(resolved, ALIGN)
    else:
        with pytest.raises(InvalidRequest, match="does transcribe, not align"):
            require_operation(resolved, ALIGN)
