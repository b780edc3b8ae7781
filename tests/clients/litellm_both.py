"""LiteLLM speaks and hears: ``litellm_both.py ADDRESS FILE MODEL TEXT VOICE_MODEL``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import litellm

address, path, model, text, voice_model = sys.argv[1:]
server = {"api_base": f"{address}/v1", "api_key": "unused"}
spoken = litellm.speech(model=f"openai/{voice_model}", voice="alloy", input=text, **server)
with Path(path).open("rb") as file:
    plain = litellm.transcription(model=f"openai/{model}", file=file, **server)
with Path(path).open("rb") as file:
    timed = litellm.transcription(
        model=f"openai/{model}",
        file=file,
        response_format="verbose_json",
        timestamp_granularities=["word"],
        **server,
    )
answer = {"heard": plain.text, "words": len(timed.words), "sound": len(spoken.content)}
sys.stdout.write(json.dumps(answer) + "\n")
