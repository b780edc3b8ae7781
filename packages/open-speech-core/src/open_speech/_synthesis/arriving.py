"""Text that is still being written, as sentences that can be spoken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, replace

from .._types.models import ModelInfo
from .._types.speech import SpeechRequest
from .utterances import Passage, PrepareText

MAX_SENTENCE = 400
"""Characters after which a sentence is cut at a clause, as in texts that are there at once."""
FIRST_CLAUSE = 40
"""The first sentence is cut at a clause within so many characters, to be heard sooner."""


@dataclass(frozen=True, kw_only=True)
class FlushText:
    """Speak what there is: what comes next is another sentence, or comes later."""


async def whole_text(
    request: SpeechRequest, model: ModelInfo, prepare: PrepareText
) -> AsyncGenerator[Passage, None]:
    """A text that is there at once, as one passage."""
    # A long text takes tenths of a second to split; nobody else would be served meanwhile.
    script = await asyncio.to_thread(prepare, request, model)
    yield Passage(text=request.text, script=script, is_last=True)


async def arriving_text(
    text: AsyncIterator[str | FlushText],
    request: SpeechRequest,
    model: ModelInfo,
    prepare: PrepareText,
    language: str | None,
) -> AsyncGenerator[Passage, None]:
    """Sentences of a text that comes in, each as soon as what follows shows that it is complete."""
    from ..text.sentences import SentenceSplitter

    splitter = SentenceSplitter(language, max_chars=MAX_SENTENCE, first_max_chars=FIRST_CLAUSE)
    async for part in text:
        done = splitter.finish() if isinstance(part, FlushText) else splitter.feed(part)
        for sentence in done:
            asked = replace(request, text=sentence.text)
            yield Passage(text=sentence.text, script=prepare(asked, model), start=sentence.start)
    for sentence in splitter.finish():
        asked = replace(request, text=sentence.text)
        yield Passage(text=sentence.text, script=prepare(asked, model), start=sentence.start)
