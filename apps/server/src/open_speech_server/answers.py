"""Transcriptions as the client asked for them: JSON, text or subtitles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response

from open_speech import Segment, Task, Transcription, TranscriptionRequest, Word
from open_speech.subtitles import to_srt, to_vtt

from .languages import language_name


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
    answer: dict[str, Any] = {"text": result.text, "usage": usage(result.duration)}
    if asked.logprobs:
        answer["logprobs"] = logprobs(result.segments)
    return JSONResponse(answer)


def logprobs(segments: Iterable[Segment]) -> list[dict[str, Any]]:
    """How sure the engine was, token by token."""
    return [
        {"token": each.token, "bytes": list(each.token.encode()), "logprob": each.logprob}
        for segment in segments
        for each in segment.logprobs
    ]


def usage(seconds: float) -> dict[str, Any]:
    """What was used: local models are paid by nobody, so it is the length."""
    return {"type": "duration", "seconds": round(seconds, 3)}


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
