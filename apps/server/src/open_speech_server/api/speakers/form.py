"""The fields of a form that say who is expected to speak, and what is done with them."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from open_speech import DiarizationRequest, Kind, ModelInfo, OpenSpeech
from open_speech.errors import InvalidRequest, ModelNotFound
from open_speech.service import EMBED, require_kind
from open_speech.speakers.diarization import Diarization
from open_speech.speakers.known import KnownSpeaker

from ...settings.settings import KNOWN
from ..openai.references import reference_of
from ..recordings import PIECE_S, recording_of
from ..uploads import UploadForm

MAX_KNOWN = 20
"""OpenAI takes 4."""


def default_model(speech: OpenSpeech) -> str:
    """The model that tells speakers apart, where a request names none.

    Raises ModelNotFound that names a provider to install.
    """
    try:
        return speech.default_model(Kind.DIARIZATION)
    except ModelNotFound as error:
        name = KNOWN["kinds"][Kind.DIARIZATION.value]
        error.hint = f"Install one, for example with 'open-speech providers install {name}'."
        raise


class SpeakersForm(UploadForm):
    """The fields that say who is expected to speak."""

    known_speaker_names: list[str] = Field(
        [], max_length=MAX_KNOWN, description="Names of speakers whose voice is known."
    )
    known_speaker_references: list[str] = Field(
        [],
        max_length=MAX_KNOWN,
        description="A recording of each of them, as a data URL: 2 to 10 seconds.",
    )
    min_speakers: int | None = Field(
        None, ge=1, le=1_000, description="Least number of speakers, where it is known."
    )
    max_speakers: int | None = Field(
        None,
        ge=1,
        le=1_000,
        description="Largest number of speakers; the same as `min_speakers` for exactly so many.",
    )

    def check(self) -> None:
        """Raise InvalidRequest for fields that do not fit each other."""
        names, references = self.known_speaker_names, self.known_speaker_references
        if len(names) != len(references):
            raise InvalidRequest(
                f"There are {len(names)} names of known speakers and {len(references)} recordings.",
                param="known_speaker_references" if len(references) < len(names)
                else "known_speaker_names",
                hint="Send one recording for each name, in the same order.",
            )  # fmt: skip
        if len(set(names)) < len(names):
            raise InvalidRequest("A known speaker is named twice.", param="known_speaker_names")
        least, most = self.min_speakers, self.max_speakers
        if least is not None and most is not None and least > most:
            raise InvalidRequest(
                f"At least {least} speakers are wanted, and at most {most}.", param="min_speakers"
            )

    async def tell_apart(
        self, speech: OpenSpeech, model: str | None, max_seconds: float, keep_alive_s: float | None
    ) -> Diarization:
        """Have a model tell the speakers of the upload apart; raises what that raises."""
        name = model or default_model(speech)
        require_kind(speech.resolve(name), Kind.DIARIZATION)
        known = await self._known(speech.manager.instance(name).model)
        try:
            return await speech.diarize(
                recording_of(getattr(self, self.upload), max_seconds, piece_s=PIECE_S),
                DiarizationRequest(min_speakers=self.min_speakers, max_speakers=self.max_speakers),
                model=name,
                known=known,
                keep_alive_s=keep_alive_s,
            )
        except InvalidRequest as error:
            if error.param in ("audio", EMBED.name):  # of a known speaker, by core's names
                error.param = "known_speaker_references"
            raise

    async def _known(self, info: ModelInfo) -> Sequence[KnownSpeaker]:
        pairs = zip(self.known_speaker_names, self.known_speaker_references, strict=True)
        return [
            KnownSpeaker(
                name=name,
                audio=await reference_of(
                    reference, info.sample_rate, param="known_speaker_references"
                ),
            )
            for name, reference in pairs
        ]
