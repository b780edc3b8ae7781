"""Transcriptions as the client asked for them: JSON, text or subtitles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response

from open_speech import Segment, Task, Transcription, TranscriptionRequest, Word
from open_speech.service import IMPOSSIBLE_LOGPROB
from open_speech.speakers.joining import speaker_lines
from open_speech.transcripts.cues import Cue, Pause, cues_of_transcript
from open_speech.transcripts.subtitles import to_srt, to_vtt

from ..languages import language_name

AUDIO_TOKENS_PER_SECOND = 10
"""How OpenAI counts sound where it counts tokens."""
SUBTITLES: Mapping[str, Callable[[Iterable[Cue]], str]] = {"srt": to_srt, "vtt": to_vtt}
"""Formats that are cut by the times of words and at the silences of the recording."""


def render(
    result: Transcription,
    asked: TranscriptionRequest,
    response_format: str,
    formats: Sequence[str] = (),
    *,
    segments: bool = True,
) -> Response:
    """The whole answer in the form's ``response_format``; ``formats`` of subtitles go with it.

    Without ``segments``, `verbose_json` has words alone.
    """
    match response_format:
        case "text":
            return PlainTextResponse(speaker_lines(result.segments) or f"{result.text}\n")
        case "srt":
            return PlainTextResponse(_files(result, ["srt"])["srt"])
        case "vtt":
            return PlainTextResponse(_files(result, ["vtt"])["vtt"], media_type="text/vtt")
        case "verbose_json":
            answer = _verbose(result, asked)
            if not segments:
                del answer["segments"]
            if formats:
                answer["subtitles"] = _files(result, formats)
            return JSONResponse(answer)
        case "diarized_json":
            return JSONResponse(_diarized(result, asked))
    answer = {
        "text": result.text,
        "languages": languages(result.language),
        "usage": usage(result.duration),
    }
    if asked.logprobs:
        answer["logprobs"] = logprobs(result.segments)
    if any(segment.speaker is not None for segment in result.segments):
        answer["segments"] = [_spoken(segment) for segment in result.segments]
    return JSONResponse(answer)


def subtitles(
    segments: Iterable[Segment], pauses: Sequence[Pause], formats: Iterable[str]
) -> dict[str, str]:
    """Whole files, by their format; of hours of sound they take a second."""
    cues = cues_of_transcript(segments, pauses)
    return {each: SUBTITLES[each](cues) for each in formats}


def _files(result: Transcription, formats: Iterable[str]) -> dict[str, str]:
    return subtitles(result.segments, result.pauses, formats)


def languages(spoken: str | None) -> list[dict[str, str]]:
    """What is spoken; empty where nobody knows, as in silence."""
    return [{"code": spoken}] if spoken else []


def logprobs(segments: Iterable[Segment]) -> list[dict[str, Any]]:
    """How sure the engine was, token by token."""
    return [
        {
            "token": each.token,
            "bytes": list(each.token.encode("utf-8", "backslashreplace")),
            "logprob": max(each.logprob, IMPOSSIBLE_LOGPROB),  # JSON has no infinity,
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


def delta_event(
    number: int, delta: str, segment: Segment, asked: TranscriptionRequest
) -> dict[str, Any]:
    """What a segment adds to the text of a stream."""
    found: dict[str, Any] = {"type": "transcript.text.delta", "delta": delta}
    if segment.speaker is not None:
        found["segment_id"] = str(number)
    if asked.logprobs:
        found["logprobs"] = logprobs([segment])
    return found


def segment_event(number: int, segment: Segment, asked: TranscriptionRequest) -> dict[str, Any]:
    """A segment of a stream with its times, and those of its words if they were asked for.

    OpenAI's event always names a speaker: it is empty where nobody is told apart.
    """
    text = segment.text if segment.speaker is None else segment.text.strip()
    found: dict[str, Any] = {
        "type": "transcript.text.segment",
        "id": str(number),
        "start": segment.start,
        "end": segment.end,
        "text": text,
        "speaker": segment.speaker or "",
    }
    if asked.word_timestamps:
        found["words"] = [_word(word) for word in segment.words]
    return found


def _diarized(result: Transcription, asked: TranscriptionRequest) -> dict[str, Any]:
    kind = "transcript.text.segment"
    return {
        "task": asked.task.value,
        "duration": result.duration,
        "text": result.text,
        "segments": [
            {"type": kind, "id": str(number), **_spoken(segment)}
            for number, segment in enumerate(result.segments)
        ],
        "usage": usage(result.duration),
    }


def _spoken(segment: Segment) -> dict[str, Any]:
    return {
        "start": segment.start,
        "end": segment.end,
        "speaker": segment.speaker,
        "text": segment.text.strip(),
    }


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
        answer["words"] = [
            {**_word(word), **_speaker(segment)}
            for segment in result.segments
            for word in segment.words
        ]
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
        **_speaker(segment),
    }


def _speaker(segment: Segment) -> dict[str, str]:
    return {} if segment.speaker is None else {"speaker": segment.speaker}


def _word(word: Word) -> dict[str, Any]:
    return {"word": word.text, "start": word.start, "end": word.end}
