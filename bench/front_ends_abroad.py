"""What espeak-ng reads rightly by itself in other languages than English, by kind of token.

For each row of core's tables of readings, the phonemes of what is written are compared with those
of the words that core puts for it (stress and pauses aside). Piper's voices and those of Kokoro in
these languages are spelled by espeak-ng.

    python bench/front_ends_abroad.py [KIND ...]

With kinds, what differs in them is shown.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

from piper.phonemize_espeak import EspeakPhonemizer

VOICES = {"de": "de", "fr": "fr", "es": "es", "it": "it", "pt": "pt-br"}
READINGS = Path(__file__).parents[1] / "packages/open-speech-core/tests/readings"
_ASIDE = re.compile(r"[ ,.;:!?\u02c8\u02cc\u203f-]")


def main(shown: list[str]) -> None:
    """Print a table of the kinds by language."""
    phonemizer = EspeakPhonemizer()

    def spelled(text: str, language: str) -> str:
        sentences = phonemizer.phonemize(VOICES[language], text)
        return _ASIDE.sub("", "".join("".join(sentence) for sentence in sentences))

    rows: Counter[tuple[str, str]] = Counter()
    right: Counter[tuple[str, str]] = Counter()
    for language in VOICES:
        for line in (READINGS / f"{language}.tsv").read_text(encoding="utf-8").splitlines():
            tag, kind, text, words = line.split("\t")
            if tag != language:
                continue
            alone, written_out = spelled(text, language), spelled(words, language)
            rows[kind, language] += 1
            right[kind, language] += alone == written_out
            if kind in shown and alone != written_out:
                print(language, text, words, alone, written_out, sep=" | ")
    print("| Kind |", " | ".join(VOICES), "|")
    for kind in dict.fromkeys(kind for kind, _ in rows):
        cells = (f"{right[kind, each]} of {rows[kind, each]}" for each in VOICES)
        print(f"| {kind} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main(sys.argv[1:])
