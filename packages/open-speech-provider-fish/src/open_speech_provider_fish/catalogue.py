"""The models by name: data only."""

from __future__ import annotations

from open_speech import Capability, Kind, ModelInfo, ModelSource, Voice

SAMPLE_RATE = 44_100
SERVER = "fish-server"
"""The model that a Fish Speech server elsewhere runs, whichever that is."""
ANYBODY = "random"
VOICES = (Voice(id=ANYBODY, name="Chosen by the seed"),)
"""Without a recording there is no voice but one that chance makes up."""
_CAPABILITIES = frozenset({Capability.VOICE_CLONE, Capability.SEED})
_LANGUAGES = ("en", "zh", "ja", "de", "fr", "es", "ko", "ar", "nl", "ru", "it", "pl", "pt")

MODELS = (
    ModelInfo(
        id="openaudio-s1-mini",
        kind=Kind.TTS,
        description="OpenAudio S1 mini by Fish Audio: speaks as a recording does, thirteen "
        "languages. Not for commercial use.",
        languages=_LANGUAGES,
        capabilities=_CAPABILITIES,
        sample_rate=SAMPLE_RATE,
        voices=VOICES,
        aliases=("fishaudio/openaudio-s1-mini",),
        sources=(
            ModelSource(
                repo_id="fishaudio/openaudio-s1-mini",
                files=(
                    "config.json",
                    "model.pth",
                    "tokenizer.tiktoken",
                    "special_tokens.json",
                    "codec.pth",
                ),
                size_bytes=3_610_000_000,
            ),
        ),
        license="CC-BY-NC-SA-4.0",
        license_url="https://creativecommons.org/licenses/by-nc-sa/4.0/",
        must_accept_license=True,
        devices=("cuda", "cpu"),
        compute_types=("float32", "bfloat16", "float16"),
        max_text_chars=500,
    ),
    ModelInfo(
        id=SERVER,
        kind=Kind.TTS,
        description="Whatever a Fish Speech server runs, such as S2 Pro; its address is the "
        "option `url`. Its weights have a license of their own.",
        languages=_LANGUAGES,
        capabilities=_CAPABILITIES,
        sample_rate=SAMPLE_RATE,
        voices=VOICES,
        license="LicenseRef-Fish-Audio-Research",
        license_url="https://github.com/fishaudio/fish-speech/blob/main/LICENSE",
        max_text_chars=500,
    ),
)
