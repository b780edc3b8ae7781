"""What the server can do, as ``describe`` is answered: installed models, the defaults first."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from wyoming.info import AsrModel, AsrProgram, Attribution, Info, TtsProgram, TtsVoice

from open_speech import Capability, Kind, ModelInfo
from open_speech.service import ModelState, ModelStatus

from .. import __version__
from ..state import ServerState

NAME = "open-speech"
_ATTRIBUTION = Attribution(name="Open Speech", url="")
_ELSEWHERE = frozenset({ModelState.AVAILABLE, ModelState.DOWNLOADING, ModelState.FAILED})
"""States in which the weights of a model that has to be downloaded may be missing."""


@dataclass(frozen=True, kw_only=True)
class VoiceChoice:
    """A voice by the name that Home Assistant shows, and what it stands for."""

    name: str
    model: str
    voice: str
    languages: tuple[str, ...]
    description: str


async def describe(state: ServerState) -> Info:
    """Models that can be used at once, and the configured ones, which will be soon."""
    found = await _installed(state)
    hearing = [each for each in found if each.kind is Kind.STT]
    voices = await voice_choices(state, found)
    info = Info()
    if hearing:
        info.asr.append(
            AsrProgram(
                **_artifact(NAME, "Open Speech", __version__),
                models=[
                    AsrModel(
                        **_artifact(each.id, each.model.description or each.id),
                        languages=_languages(each.model),
                    )
                    for each in hearing
                ],
                supports_transcript_streaming=True,
            )
        )
    if voices:
        info.tts.append(
            TtsProgram(
                **_artifact(NAME, "Open Speech", __version__),
                voices=[
                    TtsVoice(
                        **_artifact(each.name, each.description),
                        languages=[*each.languages] or ["en"],
                    )
                    for each in voices
                ],
                supports_synthesize_streaming=True,
            )
        )
    return info


async def voice_choices(
    state: ServerState, found: list[ModelStatus] | None = None
) -> list[VoiceChoice]:
    """Every voice that can be chosen. Those of the default model have their plain names."""
    found = await _installed(state) if found is None else found
    speaking = [each for each in found if each.kind is Kind.TTS]
    choices = [
        VoiceChoice(
            name=voice.id if number == 0 else f"{each.id}/{voice.id}",
            model=each.id,
            voice=voice.id,
            languages=tuple(voice.languages or each.model.languages),
            description=f"{voice.name or voice.id} ({each.id})",
        )
        for number, each in enumerate(speaking)
        for voice in each.model.voices
    ]
    _put_first(choices, state.settings.tts_voice)
    cloning = next(
        (each for each in speaking if Capability.VOICE_CLONE in each.model.capabilities), None
    )
    library = state.speech.config.voice_library
    if cloning and library:
        choices += [
            VoiceChoice(
                name=voice.id,
                model=cloning.id,
                voice=voice.id,
                languages=tuple(cloning.model.languages),
                description=f"{voice.name} ({cloning.id})",
            )
            for voice in await asyncio.to_thread(library.voices)
        ]
    return choices


def _put_first(choices: list[VoiceChoice], wanted: str) -> None:
    """Mark the default voice. Home Assistant proposes the first by description."""
    if choices:
        found = next((each for each in choices if each.name == wanted), choices[0])
        choices.remove(found)
        choices.insert(0, replace(found, description=f"(default) {found.description}"))


async def _installed(state: ServerState) -> list[ModelStatus]:
    """Models that need no download any more, and the configured ones, which come first."""
    served = filter(state.is_served, state.configured)
    configured = {state.speech.resolve(name).id: place for place, name in enumerate(served)}
    found = [
        status
        for status in await state.speech.models(measure=False)
        if status.id in configured or _is_here(status)
    ]
    return sorted(found, key=lambda status: configured.get(status.id, len(configured)))


def _is_here(status: ModelStatus) -> bool:
    if status.state is ModelState.PROVIDER_MISSING:
        return False
    return status.state not in _ELSEWHERE or not status.model.sources


def _languages(model: ModelInfo) -> list[str]:
    return list(model.languages) or ["en"]


def _artifact(name: str, description: str, version: str | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "version": version,
        "attribution": _ATTRIBUTION,
        "installed": True,
    }
