"""A text that is to be spoken, whole or while it is written."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.tts import SynthesizeStopped, SynthesizeVoice

from open_speech import Audio
from open_speech.codecs.encode import Encoder
from open_speech.errors import InvalidRequest, UnknownVoice

from ..api.live.text_feed import TextFeed
from ..api.openai.speech_body import SpeechBody
from ..settings.presets import NO_PRESET
from ..state import ServerState
from .info import voice_choices
from .wire import EventWriter

CHUNK_BYTES = 8192


class Speaking:
    """One text, from its first words to the last of its sound."""

    def __init__(
        self,
        state: ServerState,
        writer: EventWriter,
        voice: SynthesizeVoice | None,
        *,
        streamed: bool,
        ssml: bool = False,
    ) -> None:
        """``streamed``: the client is told by an event of its own when all is spoken."""
        self._state = state
        self._writer = writer
        self._voice = voice
        self._streamed = streamed
        self._ssml = ssml
        self._most = state.settings.os_max_text_chars
        self._text = TextFeed(self._most)
        self._encoder: Encoder | None = None
        self._rate = 0

    def add(self, text: str) -> None:
        """Take the next words. Raises InvalidRequest for more than there may be."""
        if not self._text.put(text):
            raise InvalidRequest(f"The text has more than {self._most} characters.")

    def finish(self) -> None:
        """The text is complete."""
        self._text.finish()

    async def run(self) -> None:
        """Speak sentence by sentence, each as soon as it is there."""
        model, voice, language = await self._choice()
        body = SpeechBody(
            input="-",
            model=model,
            voice=voice,
            language=language,
            response_format="pcm",
            ssml=self._ssml,
        )
        preset = self._state.presets.get(body.voice_name(), NO_PRESET)
        delivery = body.delivery(preset, self._state.pronunciations)
        events = self._state.speech.synthesize_stream(
            self._text,
            body.speech_request(self._state.settings, preset),
            model=delivery.model,
            prepare=delivery.prepare,
            volume=delivery.volume,
        )
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Audio):
                    await self._send(event)
        await self._finish()

    async def _choice(self) -> tuple[str | None, str | None, str | None]:
        """Model, voice and language.

        A voice may be one of the list, a preset, or any other name that HTTP requests may have.
        """
        name = self._voice.name if self._voice else None
        language = self._voice.language if self._voice else None
        if not name and not language:
            return None, None, None
        choices = await voice_choices(self._state)
        if name:
            choice = next((each for each in choices if each.name == name), None)
            return (choice.model, choice.voice, None) if choice else (None, name, None)
        assert language
        wanted = language.replace("_", "-").lower()
        for match in (wanted, wanted.partition("-")[0]):
            for each in choices:
                spoken = [tag.lower() for tag in each.languages]
                if match in spoken or match in [tag.partition("-")[0] for tag in spoken]:
                    return each.model, each.voice, language
        raise UnknownVoice(f"No installed voice speaks {language[:35]!r}.", param="voice")

    async def _send(self, audio: Audio) -> None:
        if self._encoder is None:
            self._rate = audio.sample_rate
            self._encoder = Encoder("pcm", sample_rate=self._rate)
            await self._writer.write(AudioStart(rate=self._rate, width=2, channels=1))
        await self._give(await asyncio.to_thread(self._encoder.feed, audio))

    async def _give(self, data: bytes) -> None:
        for first in range(0, len(data), CHUNK_BYTES):
            part = data[first : first + CHUNK_BYTES]
            await self._writer.write(AudioChunk(rate=self._rate, width=2, channels=1, audio=part))

    async def _finish(self) -> None:
        if self._encoder is not None:
            await self._give(await asyncio.to_thread(self._encoder.finish))
        else:  # a text without a word: clients wait for sound all the same
            self._rate = 16_000
            await self._writer.write(AudioStart(rate=self._rate, width=2, channels=1))
            await self._give(bytes(2 * self._rate // 10))
        await self._writer.write(AudioStop())
        if self._streamed:
            await self._writer.write(SynthesizeStopped())
