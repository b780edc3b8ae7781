"""The loop that speaks: frame after frame of codes, until the talker says that it is done."""

from __future__ import annotations

import torch

from .code_predictor import CodePredictor
from .configuration import Generation
from .prompts import Prompt
from .sampling import Chance, FirstCodeRules, Sampling, choose
from .talker import Talker
from .weights import Tensor


def talker_sampling(settings: Generation) -> Sampling:
    """How the first code of a frame is chosen."""
    return Sampling(
        sample=settings.do_sample,
        temperature=settings.temperature,
        top_k=settings.top_k,
        top_p=settings.top_p,
    )


def predictor_sampling(settings: Generation) -> Sampling:
    """How the other codes are chosen."""
    return Sampling(
        sample=settings.subtalker_dosample,
        temperature=settings.subtalker_temperature,
        top_k=settings.subtalker_top_k,
        top_p=settings.subtalker_top_p,
    )


class Utterance:
    """One request on its way. Holds all that belongs to it, so that none is left for the next."""

    def __init__(
        self,
        talker: Talker,
        predictor: CodePredictor,
        prompt: Prompt,
        settings: Generation,
        chance: Chance,
    ) -> None:
        """``settings.max_new_tokens`` bounds the number of frames."""
        self._talker, self._predictor = talker, predictor
        self._prompt, self._chance = prompt, chance
        self._longest = settings.max_new_tokens
        self._first, self._other = talker_sampling(settings), predictor_sampling(settings)
        with torch.inference_mode():
            self._conversation = talker.begin(prompt.start, self._longest)
            self._rules = FirstCodeRules(
                talker.sizes.vocab_size,
                talker.sizes.codec_eos_token_id,
                settings.repetition_penalty,
                str(prompt.start.device),
            )
        self._heard: Tensor | None = None
        self._count = 0

    def next_frame(self) -> Tensor | None:
        """The next frame of codes, shape ``(codes per frame,)``; None at the end."""
        if self._count >= self._longest:
            return None
        with torch.inference_mode():
            if self._heard is not None:
                text = self._prompt.text_at(self._count - 1)
                self._conversation.hear(self._heard + text)
            first = self._choose_first()
            if int(first) == self._talker.sizes.codec_eos_token_id:
                self._count = self._longest
                return None
            return self._complete(first)

    def _choose_first(self) -> Tensor:
        scores = self._rules.apply(self._conversation.scores)
        numbers = self._chance.draw(1, scores.shape[-1]) if self._first.sample else None
        first = choose(scores, self._first, numbers)
        self._rules.said(first)
        return first

    def _complete(self, first: Tensor) -> Tensor:
        embedded = self._talker.embed(first)
        state = self._conversation.state
        others = self._predictor.complete(state, embedded, self._other, self._chance)
        self._heard = embedded + self._predictor.embed(others[None])
        self._count += 1
        return torch.cat((first, others))
