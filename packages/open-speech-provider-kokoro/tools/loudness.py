# ruff: noqa: T201 - a script
"""Measure how loud each voice is, and print the gains for ``voices.py``.

    python tools/loudness.py FOLDER [VOICE ...]

FOLDER holds the official files. Needs pyloudnorm; takes some minutes. Loudness is integrated, after
ITU-R BS.1770-4, over a few words in the voice's language, or in English where that cannot be
spelt in this installation. A gain brings a voice to ``TARGET_LUFS``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyloudnorm

from open_speech import LoadContext, SpeechRequest
from open_speech_provider_kokoro.backend import KokoroBackend
from open_speech_provider_kokoro.catalogue import TAGGER
from open_speech_provider_kokoro.voices import LANGUAGES

TARGET_LUFS = -23.0
TEXTS = {
    "a": "Good morning, my dear friends.",
    "e": "Buenos días, mis queridos amigos.",
    "f": "Bonjour, mes chers amis.",
    "h": "नमस्ते, मेरे प्यारे दोस्तों।",
    "i": "Buongiorno, miei cari amici.",
    "p": "Bom dia, meus queridos amigos.",
}


def main(folder: Path, wanted: list[str]) -> None:
    """Print a line for each voice: gain in dB, loudness in LUFS, highest sample."""
    backend = KokoroBackend()
    info = backend.inspect(folder)
    assert info is not None, f"{folder} does not hold the official files"
    paths = {"model": folder}
    if (folder / TAGGER).is_dir():
        paths[TAGGER] = folder / TAGGER
    model = backend.load(info, LoadContext(paths=paths))
    for voice in info.voices:
        if wanted and voice.id not in wanted:
            continue
        letter = voice.id[0]
        spelt = letter in TEXTS and LANGUAGES[letter].tag in model.info.languages
        text = TEXTS[letter if spelt else "a"]
        language = None if spelt or letter == "b" else "en-US"
        request = SpeechRequest(text=text, voice=voice.id, language=language, seed=0)
        sound = np.concatenate([audio.samples for audio in model.synthesize(request)])
        loudness = pyloudnorm.Meter(info.sample_rate).integrated_loudness(sound.astype(np.float64))
        gain, peak = TARGET_LUFS - loudness, float(np.abs(sound).max())
        print(f"{voice.id} {gain:+.1f}  # {loudness:.1f} LUFS, peak {peak:.2f}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
