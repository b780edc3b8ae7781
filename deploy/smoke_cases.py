"""Try the image with each compose example's environment: `nox -s image -- --only cases`.

Each starts from an empty volume, read-only and without capabilities, fetches its models (tiny ones
under the names that it asks for, from a hub on this machine), speaks and listens as a client that
names no model. The one for cloning keeps a voice and speaks with it. Where an example asks for a
GPU and there is none, its models must run on the CPU.
"""

from __future__ import annotations

import httpx
import yaml
from smoke import HERE, LOCKED, Trial, hear, require, say, speak, stopped, trial

CASES = ("minimal", "balanced", "gpu", "voice-cloning", "split-device")


def environment(case: str) -> dict[str, str]:
    """What a compose example sets, without what it takes from the one who starts it."""
    text = (HERE / "compose" / f"{case}.yaml").read_text(encoding="utf-8")
    lines: list[str] = yaml.safe_load(text)["services"]["open-speech"]["environment"]
    return dict(line.split("=", 1) for line in lines if "${" not in line)


def clone(client: httpx.Client, sound: bytes) -> str:
    """Keep a recording as a voice, and speak with it."""
    kept = client.post(
        "/v1/audio/voices",
        data={"name": "Ada", "consent": "I agree.", "transcript": "one two three"},
        files={"audio_sample": ("ada.wav", sound)},
    )
    require(kept.is_success, kept.text)
    return f"said {len(speak(client, 'tts-1', 'Hi.', voice='Ada'))} bytes as Ada"


def run(case: str, tried: Trial) -> None:
    """Start one case, use it, stop it."""
    settings = {"TTS_VOICE": "af_heart", **environment(case), "HF_ENDPOINT": tried.hub.url}
    with tried.volume() as volume, tried.started(volume, *LOCKED, **settings) as container:
        ready = container.wait("/health/ready")
        with container.client() as client:
            sound = speak(client, "espeak/en-us")
            did = f"said {len(speak(client, 'tts-1'))} bytes"
            if case == "voice-cloning":
                did += f", {clone(client, sound)}"
            did += f", heard {hear(client, 'whisper-1', sound)!r}"
            running = {each["id"]: each for each in client.get("/api/ps").json()["models"]}
        wanted = (settings["STT_MODEL"], settings["TTS_MODEL"])
        require(running.keys() >= set(wanted), f"{wanted} should be loaded, and are not")
        models = ", ".join(f"{name} on {running[name]['device']}" for name in wanted)
        say(f"{case}: ready after {ready:.1f} s, {did}; {models}")
        require(stopped(container) == 0, container.run("logs", container.name))


def main() -> None:
    """Try an image."""
    with trial(__doc__) as tried:
        for case in CASES:
            run(case, tried)
    say("Every case passed.")


if __name__ == "__main__":
    main()
