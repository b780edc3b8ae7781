"""OpenAudio S1 mini in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from open_speech import Audio, LoadContext, ModelInfo, SpeechRequest, TTSModel
from open_speech.errors import InvalidRequest, ModelLoadFailed

from ._engine import Engine
from ._settings import ADDRESS, MAX_SEED, SEED, sampling

CODEC_OPTION = "codec_config"
"""A file of upstream's form that describes a codec of another size. It names code to run, so it
comes from the operator and never with weights."""


class FishModel(TTSModel):
    """Speaks, a sentence at a time."""

    def __init__(self, model: ModelInfo, context: LoadContext) -> None:
        folder = context.paths.get("model")
        if folder is None or not folder.is_dir():
            raise ModelLoadFailed(
                f"There is no folder with the model {model.id}.",
                model=model.id,
                hint="Download the model first.",
            )
        options = {n: v for n, v in context.options.items() if n not in (CODEC_OPTION, *ADDRESS)}
        config = context.options.get(CODEC_OPTION)
        self._sampling = sampling(options)
        self._engine: Engine | None = Engine(
            folder,
            context.device,
            context.compute_type,
            Path(str(config)) if config else None,
        )

    def synthesize(self, request: SpeechRequest) -> Iterator[Audio]:
        """Speak the text as one chunk: upstream makes sound of whole sentences."""
        engine = self._engine
        if engine is None:
            raise ModelLoadFailed("The model is closed.")
        how = sampling(request.options, self._sampling)
        seed = request.seed if request.seed is not None else SEED
        voice = None
        if request.reference is not None:
            if not request.reference_text:
                raise InvalidRequest(
                    "This model needs to know what the recording says.",
                    param="reference_text",
                    hint="Send the text of the recording along.",
                )
            voice = (request.reference_text, engine.frames(request.reference))
        frames = engine.speak(request.text, seed % (MAX_SEED + 1), how, voice)
        yield Audio(samples=engine.sound(frames), sample_rate=engine.sample_rate)

    def device_memory_bytes(self) -> int:
        """Bytes that it holds on an accelerator."""
        return self._engine.device_memory_bytes() if self._engine else 0

    def close(self) -> None:
        """Free everything."""
        self._engine = None
