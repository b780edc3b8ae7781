"""Transcriptions as the client asked for them: JSON, text or subtitles."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response

from open_speech import Segment, Task, Transcription, TranscriptionRequest, Word
from open_speech.subtitles import to_srt, to_vtt

from .languages import language_name

AUDIO_TOKENS_PER_SECOND = 10
"""How OpenAI counts sound where it counts tokens."""
LEAST_LOGPROB = -9999.0
"""OpenAI's word for a probability of zero, whose logarithm JSON cannot write."""


def render(result: Transcription, asked: TranscriptionRequest, response_format: str) -> Response:
    """The whole answer in the form's ``response_format``."""
    match response_format:
        case "text":
            return PlainTextResponse(f"{result.text}\n")
        case "srt":
            return PlainTextResponse(to_srt(result.segments))
        case "vtt":
            return PlainTextResponse(to_vtt(result.segments), media_type="text/vtt")
        case "verbose_json":
            return JSONResponse(_verbose(result, asked))
    answer: dict[str, Any] = {
        "text": result.text,
        "languages": languages(result.language),
        "usage": usage(result.duration),
    }
    if asked.logprobs:
        answer["logprobs"] = logprobs(result.segments)
    return JSONResponse(answer)


def languages(spoken: str | None) -> list[dict[str, str]]:
    """What is spoken; empty where nobody knows, as in silence."""
    return [{"code": spoken}] if spoken else []


def logprobs(segments: Iterable[Segment]) -> list[dict[str, Any]]:
    """How sure the engine was, token by token."""
    return [
        {
            "token": each.token,
            "bytes": list(each.token.encode("utf-8", "backslashreplace")),
            "logprob": max(each.logprob, LEAST_LOGPROB),
        }
        for segment in segments
        for each in segment.logprobs
    ]


def usage(seconds: float) -> dict[str, Any]:
    """What was used: local models are paid by nobody, so it is the length."""
    return {"type": "duration", "seconds": round(seconds, 3)}


def usage_in_tokens(seconds: float, segments: Sequence[Segment]) -> dict[str, Any]:
    """The same for a stream, whose last event knows tokens alone.

    Sound is converted at a fixed rate; of an engine that tells no tokens, words are counted.
    """
    audio = math.ceil(seconds * AUDIO_TOKENS_PER_SECOND)
    text = sum(len(segment.tokens) or len(segment.text.split()) for segment in segments)
    return {
        "type": "tokens",
        "input_tokens": audio,
        "output_tokens": text,
        "total_tokens": audio + text,
        "input_token_details": {"audio_tokens": audio, "text_tokens": 0},
    }


def segment_event(number: int, segment: Segment, asked: TranscriptionRequest) -> dict[str, Any]:
    """A segment of a stream with its times, and those of its words if they were asked for.

    OpenAI's event names a speaker; nobody is told apart here, so it is empty.
    """
    found: dict[str, Any] = {
        "type": "transcript.text.segment",
        "id": str(number),
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
        "speaker": "",
    }
    if asked.word_timestamps:
        found["words"] = [_word(word) for word in segment.words]
    return found


def _verbose(result: Transcription, asked: TranscriptionRequest) -> dict[str, Any]:
    translated = asked.task is Task.TRANSLATE
    answer: dict[str, Any] = {
        "task": asked.task.value,
        "language": language_name("en" if translated else result.language),
        "duration": result.duration,
        "text": result.text,
        "segments": [_segment(number, each) for number, each in enumerate(result.segments)],
        "usage": usage(result.duration),
    }
    if asked.word_timestamps:
        answer["words"] = [_word(word) for word in result.words]
    return answer


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    return {
        "id": number,
        "seek": segment.seek,
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
        "tokens": list(segment.tokens),
        "temperature": segment.temperature,
        "avg_logprob": segment.avg_logprob,
        "compression_ratio": segment.compression_ratio,
        "no_speech_prob": segment.no_speech_prob,
    }


def _word(word: Word) -> dict[str, Any]:
    return {"word": word.text, "start": word.start, "end": word.end}
