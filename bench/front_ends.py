"""What the engines' own front ends read rightly, by kind of token: their phonemes, without a sound.

For each sample, the phonemes of what is written are compared with those of the words that core puts
for it (stress and pauses aside). Only what agrees throughout may be declared in ``ModelInfo``.

    python bench/front_ends.py [--tagger FOLDER] [--details]
"""

from __future__ import annotations

import argparse
import logging
import re
import warnings
from collections.abc import Callable
from pathlib import Path

from open_speech import Kind, ModelInfo, SpeechRequest, TokenKind
from open_speech._synthesis.utterances import Utterance
from open_speech.text import TextOptions
from open_speech.text.prepare import prepare

MODEL = ModelInfo(id="none", kind=Kind.TTS, languages=("en-US",))
SAMPLES = {
    TokenKind.NUMBER: "25 cats|1,234 items|3.14|1,000,000|-5 below|12345|007|1 000 000|-.25|±5",
    TokenKind.ORDINAL: "the 3rd|21st century|the 100th time|11th hour|1,000th|101st|5TH",
    TokenKind.FRACTION: "1/2 cup|2 1/2 cups|5/8 inch|½ cup|3/4",
    TokenKind.PERCENT: "50%|0.5%|100 %|1,000%|+5%|±5%|~5%|½%",
    TokenKind.MONEY: "$5|$5.20|$1|$0.50|$.50|CA$10|£3.50|€2,99|50¢|10 €|$1.5 million|£1.5m",
    TokenKind.RANGE: "5-10 people|10-20%|$10-$20|9am-5pm|pp. 10-12|1990-95",
    TokenKind.ARITHMETIC: "5 - 3 = 2|2 + 2 = 4|2 x 3 = 6",
    TokenKind.DATE: "2024-12-25|12/25/2024|May 5|12/25/24|5 May 2024",
    TokenKind.DECADE: "the 2000s|the 1990s|the '90s|the 80s|the 1910s|mid-1980s|the 1800s|1960's",
    TokenKind.TIME: "3:05 pm|5:00|10:30 am|12:45|10 a.m. today|3pm",
    TokenKind.UNIT: "5 km/h|10KB|5'10\" tall|20 °C|3 kg|6 ft",
    TokenKind.VERSION: "version 2.0.1|v1.2.3|3.11.2",
    TokenKind.ROMAN: "World War II|Henry VIII|Chapter IV",
    TokenKind.CODE: "a 4K display|CO2|COVID-19|F-16|5G|UTF-8",
    TokenKind.ABBREVIATION: "Dr. Smith|Mt. Everest|St. John|Main St. is|e.g. this|vs. him|No. 5",
    TokenKind.PLURAL: "file(s)",
    TokenKind.EMAIL: "me@example.com",
    TokenKind.URL: "example.com/a|https://a.org",
    TokenKind.PHONE: "555-123-4567|(555) 123-4567",
    TokenKind.SYMBOL: "this & that|a = b|#1|C#|a/b|a → b",
    TokenKind.TYPOGRAPHY: "wasn’t|isnʼt|it´s|they’ll",  # noqa: RUF001 - the signs
    TokenKind.MARKUP: "**Bold** text|~~gone~~ now|[a link](https://a.org)|`code`",
    TokenKind.EMOJI: "great 😀|ok 👍 now",
}
_ASIDE = re.compile(r"[ˈˌ .,:;!?—…“”\"'()-]")
Spell = Callable[[str], str]


def kokoro(tagger: Path | None) -> Spell:
    """The English of Kokoro's engines."""
    from open_speech_provider_kokoro._english import English

    speller = English(tagger, "kokoro").speller(british=False)
    return lambda text: "".join(token.symbols for token in speller(text))


def espeak() -> Spell:
    """What the voices of Piper and espeak-ng's own speak by."""
    from piper.phonemize_espeak import EspeakPhonemizer

    phonemizer = EspeakPhonemizer()
    return lambda text: "".join("".join(each) for each in phonemizer.phonemize("en-us", text))


def in_words(text: str) -> str:
    """What core puts for a text."""
    request = SpeechRequest(text=text, voice="any")
    script = prepare(request, MODEL, TextOptions(first_max_chars=None))
    return " ".join(piece.text for piece in script if isinstance(piece, Utterance))


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tagger", type=Path, help="the folder of spacy/en_core_web_sm")
    parser.add_argument("--details", action="store_true", help="what differs, too")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    spellers = {"Kokoro": kokoro(arguments.tagger), "espeak-ng": espeak()}
    print(f"| Kind | {' | '.join(spellers)} |\n| --- | {'--- | ' * len(spellers)}")
    for kind, samples in SAMPLES.items():
        cells = []
        for name, spell in spellers.items():
            texts = [f"Here is {each}." for each in samples.split("|")]
            same = [
                _ASIDE.sub("", spell(text)) == _ASIDE.sub("", spell(in_words(text)))
                for text in texts
            ]
            cells.append(f"{sum(same)} of {len(same)}")
            if arguments.details:
                for text, agrees in zip(texts, same, strict=True):
                    if not agrees:
                        print(f"<!-- {name}: {text} {spell(text)} / {spell(in_words(text))} -->")
        print(f"| {kind.value} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
