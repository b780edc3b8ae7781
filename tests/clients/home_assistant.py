"""Home Assistant itself, in one process: ``home_assistant.py FOLDER PORT FILE [FILE ...]``.

Its start, its config flow for the Wyoming integration, the entities that this makes, and an assist
pipeline for each file, all at once. Prints a line of JSON for each: what was heard, what was
answered, and where the sound of the answer is.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import imageio_ffmpeg
from homeassistant import bootstrap, runner
from homeassistant.components import assist_pipeline, stt
from homeassistant.components.assist_pipeline.pipeline import async_create_default_pipeline
from homeassistant.components.tts import DATA_TTS_MANAGER
from homeassistant.core import Context, HomeAssistant

CONFIGURATION = "homeassistant:\n  language: en\nassist_pipeline:\nconversation:\nstt:\ntts:\n"
RATE = 16_000


async def main(folder: Path, port: int, files: list[Path]) -> None:
    config = runner.RuntimeConfig(config_dir=str(folder), skip_pip=False)
    hass = await bootstrap.async_setup_hass(config)
    assert hass is not None
    await hass.async_start()
    flow = await hass.config_entries.flow.async_init(
        "wyoming", context={"source": "user"}, data={"host": "127.0.0.1", "port": port}
    )
    assert flow["type"] == "create_entry", flow
    await hass.async_block_till_done()
    pipeline = await async_create_default_pipeline(
        hass,
        stt_engine_id=hass.states.async_entity_ids("stt")[0],
        tts_engine_id=hass.states.async_entity_ids("tts")[0],
        pipeline_name="Home",
    )
    assert pipeline is not None
    sounds = [_samples(file) for file in files]
    for result in await asyncio.gather(*(_ask(hass, pipeline.id, each) for each in sounds)):
        sys.stdout.write(json.dumps({"voice": pipeline.tts_voice, **result}) + "\n")
    sys.stdout.flush()
    await hass.async_stop(force=True)


def _samples(file: Path) -> bytes:
    with wave.open(str(file)) as sound:
        assert sound.getframerate() == RATE
        return bytes(sound.readframes(sound.getnframes()))


async def _ask(hass: HomeAssistant, pipeline: str, sound: bytes) -> dict[str, Any]:
    async def stream() -> AsyncIterator[bytes]:
        for first in range(0, len(sound), 1024):
            yield sound[first : first + 1024]

    seen: dict[str, Any] = {}
    await assist_pipeline.async_pipeline_from_audio_stream(
        hass,
        context=Context(),
        event_callback=lambda event: seen.update({str(event.type): event.data}),
        pipeline_id=pipeline,
        stt_metadata=stt.SpeechMetadata(
            language="en",
            format=stt.AudioFormats.WAV,
            codec=stt.AudioCodecs.PCM,
            bit_rate=stt.AudioBitRates.BITRATE_16,
            sample_rate=stt.AudioSampleRates.SAMPLERATE_16000,
            channel=stt.AudioChannels.CHANNEL_MONO,
        ),
        stt_stream=stream(),
        tts_audio_output="wav",
    )
    answer = seen["intent-end"]["intent_output"]["response"]["speech"]["plain"]["speech"]
    token = seen["tts-end"]["tts_output"]["token"]
    spoken = hass.data[DATA_TTS_MANAGER].token_to_stream[token]
    data = b"".join([part async for part in spoken.async_stream_result()])
    return {
        "heard": seen["stt-end"]["stt_output"]["text"],
        "answer": answer,
        "sound": data.hex(),
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    tools = folder / "bin"
    tools.mkdir(parents=True, exist_ok=True)
    (folder / "configuration.yaml").write_text(CONFIGURATION)
    if not (tools / "ffmpeg").exists():
        (tools / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    os.environ["PATH"] = f"{tools}{os.pathsep}{os.environ['PATH']}"
    asyncio.run(main(folder, int(sys.argv[2]), [Path(each) for each in sys.argv[3:]]))
