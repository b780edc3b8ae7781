"""A checkpoint put together: text and a voice in, pieces of sound out."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from open_speech import Samples

from . import configuration
from .causal import Stream
from .code_predictor import CodePredictor
from .codec_decoder import UNUSED as DECODER_UNUSED
from .codec_decoder import CodecDecoder
from .codec_encoder import UNUSED as ENCODER_UNUSED
from .codec_encoder import CodecEncoder
from .configuration import BASE, CODEC, Generation
from .generation import Utterance, predictor_sampling
from .graphs import Captured
from .prompts import Prompt, Prompter, Voice
from .sampling import Chance
from .speaker_encoder import SpeakerEncoder
from .talker import Talker
from .text_tokenizer import TextTokenizer
from .weights import BadWeights, Tensor, Weights, on_meta

_log = logging.getLogger(__name__)

PIECES = (2, 3, 4, 6, 9, 12)
"""Frames per piece of sound: little at first, to be heard early; the last number goes on.

Each is at most half as long again as the one before, so that sound never runs out while frames take
no more than two thirds of the time that they sound.
"""
GRAPH_PLACES = 4096
"""Prompt and frames together that the captured talker has room for (over five minutes)."""


class Engine:
    """The networks of one checkpoint. One request at a time."""

    def __init__(self, folder: Path, *, device: str, dtype: Any, graphs: bool) -> None:
        """Load from a folder.

        ``dtype`` is that of the talker and its predictor. The codec and the speaker encoder stay
        in float32: they are a small part of the work, and sound has more bits than bfloat16.
        Raises BadConfiguration, BadVocabulary or BadWeights.
        """
        self.config = config = configuration.read(folder)
        self.device = device
        tokenizer = TextTokenizer(folder)
        weights = Weights(folder, device=device, dtype=dtype)
        self.talker = Talker(config.talker, weights)
        codes = config.talker.num_code_groups
        self.predictor = CodePredictor(config.predictor, codes, weights)
        self._prompter = Prompter(config, tokenizer, self.talker, self.predictor)
        codec = Weights(folder / CODEC, device=device, dtype=torch.float32)
        self.decoder = on_meta(CodecDecoder, config.decoder)
        codec.fill(self.decoder, "decoder.", DECODER_UNUSED)
        self.encoder: Any = None
        self.speaker_encoder: Any = None
        if config.kind == BASE:
            self._load_ears(folder, codec)
        if graphs and device.startswith("cuda"):
            self._capture()

    @property
    def samples_per_frame(self) -> int:
        """How many samples a frame sounds."""
        return self.config.decoder.samples_per_frame

    def recorded_voice(self, samples: Samples, text: str) -> Voice:
        """The voice of a recording ``(n,)`` at the model's rate.

        ``text`` is what it says; where that is not known (empty), only the timbre is taken over.
        """
        heard = torch.from_numpy(np.ascontiguousarray(samples, np.float32)).to(self.device)
        with torch.inference_mode():
            like = self.talker.like
            embedding = self.speaker_encoder(heard).to(like.dtype).view_as(like)
            codes = self.encoder(heard) if text else None
        return Voice(embedding=embedding, cloned=True, codes=codes, text=text)

    def preset_voice(self, speaker: int) -> Voice:
        """A voice that the checkpoint was trained with, by its id among the codes."""
        return Voice(embedding=self.talker.codes((speaker,)))

    def prompt(
        self, text: str, voice: Voice, language: int | None = None, instructions: str | None = None
    ) -> Prompt:
        """Lay a request out; see ``Prompter.prompt``."""
        with torch.inference_mode():
            return self._prompter.prompt(text, voice, language, instructions)

    def frames(self, prompt: Prompt, settings: Generation, seed: int | None) -> Iterator[Tensor]:
        """Speak in codes: frames of shape ``(codes per frame,)`` as they are made."""
        chance = Chance(seed, self.device)
        utterance = Utterance(self.talker, self.predictor, prompt, settings, chance)
        while (frame := utterance.next_frame()) is not None:
            yield frame

    def sound(self, frames: Iterator[Tensor], before: Tensor | None = None) -> Iterator[Samples]:
        """Make sound of frames while they come.

        ``before`` ``(n, codes per frame)`` are codes that the sound goes on from, themselves not
        heard: those of the recording that a voice was cloned from.
        """
        stream: Stream = {}
        if before is not None:
            self._decode(before, stream)
        piece, place = [], 0
        for frame in frames:
            piece.append(frame)
            if len(piece) == PIECES[place]:
                yield self._decode(torch.stack(piece), stream)
                piece, place = [], min(place + 1, len(PIECES) - 1)
        if piece:
            yield self._decode(torch.stack(piece), stream)

    def release(self) -> None:
        """Forget what was captured: it knows the networks, and they know it."""
        self.talker.release()
        self.predictor.release()

    def _decode(self, codes: Tensor, stream: Stream) -> Samples:
        with torch.inference_mode():
            known = codes.clamp(max=self.config.decoder.codebook_size - 1)
            samples: Samples = self.decoder(known, stream).float().cpu().numpy()
            return samples

    def _load_ears(self, folder: Path, codec: Weights) -> None:
        config = self.config
        if config.speaker_encoder.enc_dim != config.talker.hidden_size:
            raise BadWeights("has a speaker encoder that does not fit its talker")
        weights = Weights(folder, device=self.device, dtype=torch.float32)
        self.speaker_encoder = on_meta(SpeakerEncoder, config.speaker_encoder)
        weights.fill(self.speaker_encoder, "speaker_encoder.")
        self.encoder = on_meta(CodecEncoder, config.encoder, config.talker.num_code_groups)
        codec.fill(self.encoder, "encoder.", ENCODER_UNUSED)

    def _capture(self) -> None:
        """Capture what every frame does; without it the same is done kernel by kernel."""
        try:
            with torch.inference_mode():
                self.talker.capture(Captured, GRAPH_PLACES)
                how = predictor_sampling(replace(self.config.generation))
                self.predictor.capture(Captured, how, self.talker.like)
        except RuntimeError as error:
            self.release()
            _log.warning("CUDA graphs are not used, speech will be slower: %s", error)
