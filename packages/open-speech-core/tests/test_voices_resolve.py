"""Which voice a request means."""

from __future__ import annotations

import pytest

from open_speech import Capability, Kind, ModelInfo, Voice
from open_speech.errors import UnknownVoice
from open_speech.voices.resolve import default_voice, resolve_voice


def model(*voices: str, **fields) -> ModelInfo:
    made = tuple(Voice(id=voice, languages=(voice[:2],)) for voice in voices)
    return ModelInfo(id="m", kind=Kind.TTS, voices=made, **fields)


def test_a_named_voice_is_found_whatever_its_case():
    assert resolve_voice(model("en_ann", "en_bob"), "EN_Bob", None) == "en_bob"


def test_an_alias_is_found():
    found = model("en_ann", voice_aliases={"alloy": "en_ann"})
    assert resolve_voice(found, "alloy", None) == "en_ann"


@pytest.mark.parametrize("wanted", ["", "default"])
def test_default_means_the_configured_voice_then_the_models_own(wanted):
    voices = model("en_ann", "en_bob", default_voice="en_bob")
    assert resolve_voice(voices, wanted, "en_ann") == "en_ann"
    assert resolve_voice(voices, wanted, None) == "en_bob"
    assert resolve_voice(voices, wanted, "default") == "en_bob"
    assert resolve_voice(model("en_ann"), wanted, None) == "en_ann"


def test_a_configured_voice_that_the_model_lacks_falls_back_with_one_line(caplog):
    caplog.set_level("INFO", "open_speech.voices")
    voices = model("en_only_here")
    for _ in range(3):
        assert resolve_voice(voices, "", "af_heart") == "en_only_here"
    assert [record.message for record in caplog.records] == [
        "m has no voice 'af_heart'; its own default 'en_only_here' is used"
    ]


GENERIC = ("alloy", "ash", "ballad", "coral")


@pytest.mark.parametrize("name", [*GENERIC, "Alloy"])
def test_every_generic_name_means_a_voice_of_the_models_language(name):
    voices = model("en_ann", "de_ulf", "en_bob", default_voice="en_ann")
    found = resolve_voice(voices, name, None, GENERIC)
    assert found in {"en_ann", "en_bob"}
    assert resolve_voice(voices, name, None, GENERIC) == found
    with pytest.raises(UnknownVoice):
        resolve_voice(voices, name, None)


def test_a_model_without_voices_takes_any_generic_name():
    assert resolve_voice(model(), "alloy", None, GENERIC) == "default"
    assert default_voice(model()) == "default"


def test_an_unknown_voice_is_an_error_with_near_matches():
    with pytest.raises(UnknownVoice, match="Did you mean 'en_anna'") as caught:
        resolve_voice(model("en_anna", "de_ulf"), "en_ana", None)
    assert caught.value.param == "voice"


def test_a_blend_is_passed_on_to_a_model_that_blends():
    blending = model("a", "b", capabilities=frozenset({Capability.VOICE_BLEND}))
    assert resolve_voice(blending, "a(2)+b(1)", None) == "a(2)+b(1)"
    with pytest.raises(UnknownVoice):
        resolve_voice(model("a", "b"), "a(2)+b(1)", None)
