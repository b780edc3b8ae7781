"""Transcriptions as the client asked for them: JSON, text or subtitles."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response

from open_speech import Segment, Task, Transcription, Word
from open_speech.subtitles import to_srt, to_vtt

from .forms import TranscriptionForm
from .languages import language_name


def render(result: Transcription, form: TranscriptionForm, task: Task) -> Response:
    """The whole answer in the form's ``response_format``."""
    match form.response_format:
        case "text":
            return PlainTextResponse(f"{result.text}\n")
        case "srt":
            return PlainTextResponse(to_srt(result.segments))
        case "vtt":
            return PlainTextResponse(to_vtt(result.segments), media_type="text/vtt")
        case "verbose_json":
            return JSONResponse(_verbose(result, form, task))
    return JSONResponse({"text": result.text, "usage": _usage(result)})


def _usage(result: Transcription) -> dict[str, Any]:
    return {"type": "duration", "seconds": round(result.duration, 3)}


def _verbose(result: Transcription, form: TranscriptionForm, task: Task) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "task": task.value,
        "language": language_name("en" if task is Task.TRANSLATE else result.language),
        "duration": result.duration,
        "text": result.text,
        "segments": [_segment(number, each) for number, each in enumerate(result.segments)],
        "usage": _usage(result),
    }
    if form.words:
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
