"""Whether an accelerator's memory comes back, and whether a budget on it is kept.

Needs an NVIDIA GPU and its ``nvidia-smi``; says so and measures nothing where there is none. The
models are named by the caller, since they must be ones that use the device:

    nox -s bench -- device_memory --stt Systran/faster-whisper-base [--tts NAME] [--budget-mb 2000]

Each model is loaded, used once and unloaded, and the device is asked what it holds each time; the
server's own figure (`device_memory_bytes` of `/api/models`) stands beside it. With ``--budget-mb``
both models are loaded under that budget and the page of models tells which one went.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess

from _measure import NO_MODELS, Figures, Server, form, post, recording, server


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stt", help="a speech-to-text model")
    parser.add_argument("--tts", help="a text-to-speech model")
    parser.add_argument("--budget-mb", type=int, default=0)
    given = parser.parse_args()
    models = [name for name in (given.stt, given.tts) if name]
    if shutil.which("nvidia-smi") is None or not models:
        print("Nothing was measured: this needs nvidia-smi, and --stt or --tts with a model.")
        return
    variables = {**NO_MODELS, "STT_DEVICE": "cuda", "TTS_DEVICE": "cuda"}
    with server(variables, path="/health") as started:
        table = Figures(
            "Device memory in MB", ("model", "before", "loaded", "the server says", "unloaded")
        )
        for model in models:
            table.add(model, *_cycle(started, model, hears=model == given.stt))
        table.show()
    if given.budget_mb and len(models) > 1:
        _budget(variables, models, given.budget_mb)


def _cycle(started: Server, model: str, *, hears: bool) -> tuple[float, float, float, float]:
    before = _held()
    _call(started, f"/api/models/{model}/load", {"device": "cuda"})
    _use(started, model, hears=hears)
    loaded, said = _held(), _said(started)[model]["device_memory_bytes"] / 1e6
    connection = started.connect()
    connection.request("DELETE", f"/api/models/{model}")
    connection.getresponse().read()
    return before, loaded, said, _held()


def _use(started: Server, model: str, *, hears: bool) -> None:
    if hears:
        body, headers = form(recording(3.0), model=model)
        post(started.connect(), "/v1/audio/transcriptions", body, headers)
    else:
        _call(started, "/v1/audio/speech", {"model": model, "input": "One sentence."})


def _budget(variables: dict[str, str], models: list[str], megabytes: int) -> None:
    with server({**variables, "OS_VRAM_BUDGET_MB": str(megabytes)}, path="/health") as started:
        for model in models:
            _call(started, f"/api/models/{model}/load", {"device": "cuda"})
        table = Figures(f"Under a budget of {megabytes} MB", ("model", "state"))
        for model in models:
            table.add(model, _said(started)[model]["state"])
        table.show()


def _call(started: Server, path: str, body: dict[str, str]) -> None:
    headers = {"Content-Type": "application/json"}
    post(started.connect(), path, json.dumps(body).encode(), headers)


def _said(started: Server) -> dict[str, dict[str, float]]:
    _, text = started.ask("/api/models")
    return {model["id"]: model for model in json.loads(text)["models"]}


def _held() -> float:
    """What the device holds, by its driver's count, of all processes."""
    command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return sum(float(line) * 1.048576 for line in done.stdout.split())


if __name__ == "__main__":
    main()
