"""The OpenAPI document against OpenAI's own contract."""

from __future__ import annotations

import pytest

from open_speech_server.app import create_api
from open_speech_server.settings.settings import Settings

URL = "/v1/audio/transcriptions"
OPENAI_FIELDS = {
    URL: {
        "file", "model", "language", "languages", "keywords", "prompt", "response_format",
        "temperature", "timestamp_granularities", "include", "chunking_strategy",
        "known_speaker_names", "known_speaker_references", "stream",
    },
    "/v1/audio/translations": {"file", "model", "prompt", "response_format", "temperature"},
    "/v1/audio/speech": {
        "input", "model", "voice", "instructions", "response_format", "speed", "stream_format",
    },
}  # fmt: skip
OPENAI_FORMATS = {
    URL: {"json", "text", "srt", "verbose_json", "vtt", "diarized_json"},
    "/v1/audio/translations": {"json", "text", "srt", "verbose_json", "vtt"},
    "/v1/audio/speech": {"mp3", "opus", "aac", "flac", "wav", "pcm"},
}


@pytest.mark.parametrize("path", OPENAI_FIELDS)
def test_the_openapi_document_lists_every_field(path):
    document = create_api(Settings()).openapi()
    operation = document["paths"][path]["post"]
    content = next(iter(operation["requestBody"]["content"].values()))
    schema = content["schema"]
    if reference := schema.get("$ref"):
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    fields = schema["properties"]
    assert OPENAI_FIELDS[path] <= fields.keys()
    assert all(fields[name]["description"] for name in fields)
    assert OPENAI_FORMATS[path] <= set(fields["response_format"]["enum"])
    assert {"200", "4XX", "5XX"} <= operation["responses"].keys()
