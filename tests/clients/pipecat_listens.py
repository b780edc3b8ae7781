"""Pipecat's realtime service hears live: ``pipecat_listens.py ADDRESS FILE MODEL MODE``.

MODE is ``server``, where the server finds turns, or ``client``, where the program commits.
"""

from __future__ import annotations

import asyncio
import sys
import wave

from pipecat.frames.frames import (
    EndFrame,
    Frame,
    InputAudioRawFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.openai.stt import OpenAIRealtimeSTTService

CHUNK_S = 0.05


class Collector(FrameProcessor):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.text = asyncio.get_running_loop().create_future()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TranscriptionFrame) and not self.text.done():
            self.text.set_result(frame.text)
        await self.push_frame(frame, direction)


async def main(address: str, path: str, model: str, mode: str) -> None:
    with wave.open(path) as file:
        rate = file.getframerate()
        data = file.readframes(file.getnframes())
    stt = OpenAIRealtimeSTTService(
        api_key="unused",
        base_url=f"{address.replace('http', 'ws')}/v1/realtime",
        settings=OpenAIRealtimeSTTService.Settings(model=model),
        turn_detection={"type": "server_vad"} if mode == "server" else False,
    )
    collector = Collector()
    params = PipelineParams(audio_in_sample_rate=rate)
    task = PipelineTask(Pipeline([stt, collector]), params=params, idle_timeout_secs=None)

    async def play() -> None:
        await asyncio.sleep(1.0)
        if mode == "client":
            await task.queue_frame(VADUserStartedSpeakingFrame())
        step = 2 * round(CHUNK_S * rate)
        sound = data if mode == "client" else data + bytes(4 * rate)
        for first in range(0, len(sound), step):
            part = sound[first : first + step]
            frame = InputAudioRawFrame(audio=part, sample_rate=rate, num_channels=1)
            await task.queue_frame(frame)
            await asyncio.sleep(CHUNK_S)
        if mode == "client":
            await task.queue_frame(VADUserStoppedSpeakingFrame())
        async with asyncio.timeout(60):
            sys.stdout.write(f"text {await collector.text}\n")
        await task.queue_frame(EndFrame())

    await asyncio.gather(PipelineRunner(handle_sigint=False).run(task), play())


asyncio.run(main(*sys.argv[1:]))
