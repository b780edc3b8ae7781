"""How a request is laid out for the talker: one row of text embeddings, one of codes, added.

    row     | role          | tag and voice              | body
    text    | <|im_start|>  | pad  pad  pad  pad  bos    | the text, then eos
            | assistant LF |                            |
    codes   |               | think (language) voice pad | pad pad pad ...      then bos

Instructions come first of all, as a turn of the user's without codes. Two bodies exist, as
upstream uses them: preset and designed voices get the *whole* text before the first frame; cloned
ones get it *beside* the codes, one piece of text per frame, the recording's own text and codes
going before.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .code_predictor import CodePredictor
from .configuration import Configuration
from .talker import Talker
from .text_tokenizer import TextTokenizer
from .weights import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Voice:
    """Whose voice to speak in; every part may be missing."""

    embedding: Tensor | None = None
    """The speaker as one of the talker's embeddings, shape ``(1, 1, hidden)``."""
    cloned: bool = False
    """Whether it comes from a recording: such a voice is laid out beside the codes."""
    codes: Tensor | None = None
    """What the recording sounds like, shape ``(frames, codes per frame)``."""
    text: str = ""
    """What is said in ``codes``."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Prompt:
    """What the talker reads."""

    start: Tensor
    """Before the first frame, shape ``(1, n, hidden)``."""
    beside: Tensor
    """Text to add to each frame, shape ``(1, m, hidden)``."""
    after: Tensor
    """What to add to frames beyond ``beside``, shape ``(1, 1, hidden)``."""

    def text_at(self, frame: int) -> Tensor:
        """Text to add to a frame, shape ``(1, 1, hidden)``."""
        return self.beside[:, frame : frame + 1] if frame < self.beside.shape[1] else self.after


class Prompter:
    """Lays requests out."""

    def __init__(
        self,
        config: Configuration,
        tokenizer: TextTokenizer,
        talker: Talker,
        predictor: CodePredictor,
    ) -> None:
        self._config, self._tokenizer = config, tokenizer
        self._talker, self._predictor = talker, predictor

    def prompt(
        self, text: str, voice: Voice, language: int | None, instructions: str | None
    ) -> Prompt:
        """Lay one request out. ``language``: an id among the codes, or None to leave it open."""
        config, talker = self._config, self._talker
        bos, eos, pad = talker.text(
            (config.tts_bos_token_id, config.tts_eos_token_id, config.tts_pad_token_id)
        ).chunk(3, dim=1)
        begin = talker.codes((config.talker.codec_bos_id,))
        said = talker.text(self._tokenizer.ids(text.strip()))
        rows = [self._role("assistant"), self._tag(voice, language, bos, pad)]
        if instructions:
            rows.insert(0, self._turn("user", instructions))
        if voice.codes is not None:
            heard = talker.text(self._tokenizer.ids(voice.text.strip()))
            body, beside = self._beside(
                torch.cat((heard, said, eos), dim=1),
                torch.cat((begin, self._frames(voice.codes)), dim=1),
                pad,
            )
        elif voice.cloned:
            body, beside = self._beside(torch.cat((said, eos), dim=1), begin, pad)
        else:
            body, beside = self._whole(torch.cat((said, eos), dim=1), begin, pad), pad
        return Prompt(start=torch.cat((*rows, body), dim=1), beside=beside, after=pad)

    def _role(self, name: str) -> Tensor:
        ids = (self._config.im_start_token_id, *self._tokenizer.ids(f"{name}\n"))
        return self._talker.text(ids)

    def _turn(self, name: str, text: str) -> Tensor:
        ids = self._tokenizer.ids
        end = (self._config.im_end_token_id, *ids("\n"))
        return torch.cat((self._role(name), self._talker.text((*ids(text.strip()), *end))), dim=1)

    def _tag(self, voice: Voice, language: int | None, bos: Tensor, pad: Tensor) -> Tensor:
        sizes = self._config.talker
        if language is None:
            tag = [sizes.codec_nothink_id, sizes.codec_think_bos_id, sizes.codec_think_eos_id]
        else:
            tag = [
                sizes.codec_think_id,
                sizes.codec_think_bos_id,
                language,
                sizes.codec_think_eos_id,
            ]
        codes = [self._talker.codes(tag), self._talker.codes((sizes.codec_pad_id,))]
        if voice.embedding is not None:
            codes.insert(1, voice.embedding)
        row = torch.cat(codes, dim=1)
        return torch.cat((pad.expand(-1, row.shape[1] - 1, -1), bos), dim=1) + row

    def _whole(self, text: Tensor, begin: Tensor, pad: Tensor) -> Tensor:
        """All of the text without codes, then the first code's beginning."""
        quiet = self._talker.codes((self._config.talker.codec_pad_id,))
        return torch.cat((text + quiet, pad + begin), dim=1)

    def _beside(self, text: Tensor, codes: Tensor, pad: Tensor) -> tuple[Tensor, Tensor]:
        """Text and codes side by side as far as the codes go; the rest of the text."""
        length = codes.shape[1]
        missing = max(length - text.shape[1], 0)
        filled = torch.cat((text, pad.expand(-1, missing, -1)), dim=1)
        return filled[:, :length] + codes, filled[:, length:]

    def _frames(self, codes: Tensor) -> Tensor:
        """Embed whole frames ``(n, codes per frame)``: the sum over each one's codes."""
        first = self._talker.embed(codes[:, 0])
        return first + self._predictor.embed(codes[:, 1:])
