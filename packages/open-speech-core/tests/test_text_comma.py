"""What holds for all languages whose decimal mark is the comma, whatever the text."""

# ruff: noqa: RUF001 - signs of many scripts are what this is about
from __future__ import annotations

import re
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech._synthesis.utterances import Utterance
from open_speech._types.models import Kind, ModelInfo
from open_speech._types.speech import SpeechRequest
from open_speech._types.tokens import TokenKind
from open_speech.text import NormalizationOptions, TextOptions
from open_speech.text.prepare import prepare

LANGUAGES = ("de", "fr", "es", "it", "pt")
OPTIONS = TextOptions(
    markup=False,
    first_max_chars=None,
    normalization=NormalizationOptions(unit_normalization=True),
)
languages = st.sampled_from(
    [*LANGUAGES, "de-CH", "fr-CH", "fr-BE", "es-MX", "es-ES", "it-CH", "pt-PT", "pt-BR"]
)


def spoken(text: str, language: str, *, model: ModelInfo | None = None) -> str:
    model = model or ModelInfo(id="m", kind=Kind.TTS)
    script = prepare(SpeechRequest(text=text, voice="v", language=language), model, OPTIONS)
    return " ".join(piece.text for piece in script if isinstance(piece, Utterance))


def _readings() -> Iterator[Any]:
    """Rows of a language tag, a kind of token, a text and what is said, as its speakers say it."""
    for path in sorted((Path(__file__).parent / "readings").glob("*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = line.split("\t")
            yield pytest.param(row[0], *row[2:], id="-".join(row[:3]))


@pytest.mark.parametrize(("language", "text", "expected"), list(_readings()))
def test_readings(language, text, expected):
    assert spoken(text, language) == expected


# A reader of its own, which knows no rule of the code that it checks: names of numbers by value,
# put together as all five languages do.
_UNITS = {
    "de": "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn "
    "fünfzehn sechzehn siebzehn achtzehn neunzehn",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze "
    "seize",
    "es": "cero un dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
    "dieciséis diecisiete dieciocho diecinueve veinte veintiun veintidós veintitrés veinticuatro "
    "veinticinco veintiséis veintisiete veintiocho veintinueve",
    "it": "zero un due tre quattro cinque sei sette otto nove dieci undici dodici tredici "
    "quattordici quindici sedici diciassette diciotto diciannove",
    "pt": "zero um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze "
    "dezesseis dezessete dezoito dezenove",
}
_TENS = {
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "fr": "vingt trente quarante cinquante soixante septante quatre-vingt nonante",
    "es": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    "it": "vent trent quarant cinquant sessant settant ottant novant",
    "pt": "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa",
}
_MORE = {
    "de": {"eins": 1, "eine": 1, "hundert": 100, "tausend": 1000},
    "fr": {"une": 1, "huitante": 80, "quatre-vingts": 80, "cent": 100, "cents": 100, "mille": 1000},
    "es": {
        "uno": 1, "una": 1, "veintiún": 21, "veintiuno": 21, "veintiuna": 21, "cien": 100,
        "ciento": 100, "doscientos": 200, "trescientos": 300, "cuatrocientos": 400,
        "quinientos": 500, "seiscientos": 600, "setecientos": 700, "ochocientos": 800,
        "novecientos": 900, "mil": 1000,
    },
    "it": {
        "uno": 1, "una": 1, "tré": 3, "venti": 20, "trenta": 30, "quaranta": 40, "cinquanta": 50,
        "sessanta": 60, "settanta": 70, "ottanta": 80, "novanta": 90, "cento": 100, "cent": 100,
        "mille": 1000, "mila": 1000,
    },
    "pt": {
        "uma": 1, "duas": 2, "cem": 100, "cento": 100, "duzentos": 200, "trezentos": 300,
        "quatrocentos": 400, "quinhentos": 500, "seiscentos": 600, "setecentos": 700,
        "oitocentos": 800, "novecentos": 900, "mil": 1000, "dezasseis": 16, "dezassete": 17,
        "dezanove": 19,
    },
}  # fmt: skip
_MILLIONS = (
    *("million", "millionen", "millions", "millón", "millones", "milione", "milioni", "milhão"),
    *("milhões",),
)
_FILLERS = {
    "de": ("und",), "fr": ("et", "-"), "es": ("y",), "it": (), "pt": ("e",),
}  # fmt: skip


def _names(language: str) -> dict[str, int]:
    names = {name: value for value, name in enumerate(_UNITS[language].split())}
    names |= {name: 10 * value for value, name in enumerate(_TENS[language].split(), 2)}
    names |= _MORE[language]
    feminine = {name[:-2] + "as": value for name, value in names.items() if name.endswith("tos")}
    names |= feminine | {"quinientas": 500, "quinhentas": 500}
    return names | dict.fromkeys(_MILLIONS, 1_000_000)


def value_of(words: str, language: str) -> int:
    """Read a whole number from its words."""
    names = _names(language)
    total, group = 0, 0
    for name in _divided(words.lower(), (*names, *_FILLERS[language], " ", "-")):
        value = names.get(name, 0)
        if value == 1_000_000:
            total, group = (total + max(group, 1)) * value, 0
        elif value == 1000:
            total, group = total + max(group, 1) * value, 0
        elif value == 100 and language in ("de", "fr", "it") and group:
            group *= value
        else:
            group += value
    return total + group


def _divided(words: str, names: tuple[str, ...]) -> list[str]:
    """Divide words run together into names, the longest ones first where that works out."""
    ways: list[list[str] | None] = [*[None] * len(words), []]
    for start in reversed(range(len(words))):
        for name in sorted(names, key=len, reverse=True):
            rest = ways[start + len(name)] if words.startswith(name, start) else None
            if rest is not None:
                ways[start] = [name, *rest]
                break
    assert ways[0] is not None, words
    return ways[0]


wholes = st.one_of(st.integers(0, 2100), st.integers(0, 999_999_999))


@given(wholes, languages)
def test_a_number_read_back_is_the_number_written(number, language):
    main = language[:2]
    # Years from 1100 on have words of their own in German; grouped, no number is a year.
    grouped = f"{number:,}".replace(",", "\u202f")
    assert value_of(spoken(f"({grouped})", language).strip("()"), main) == number


CURRENCIES = {
    "de": ("Euro", "Cent"), "fr": ("euros?", "centimes?"), "es": ("euros?", "céntimos?"),
    "it": ("euro", "centesimi|centesimo"), "pt": ("euros?", "(?:centavo|cêntimo)s?"),
}  # fmt: skip


def amount_of(words: str, language: str) -> Decimal:
    """Read a sum of euros from its words."""
    whole, cent = CURRENCIES[language]
    words = re.sub(r"\bd(?:e |i |')(?=eur)", "", words)
    match = re.fullmatch(
        rf"(?:(?P<minus>minus|moins|menos|meno) )?(?:(?P<whole>.+?) (?:{whole}))?"
        rf"(?: (?:und|et|con|e)(?= ))? ?(?:(?P<cents>.+?)(?: (?:{cent}))?)?",
        words,
    )
    assert match, words
    euros = value_of(match["whole"], language) if match["whole"] else 0
    cents = value_of(match["cents"], language) if match["cents"] else 0
    amount = Decimal(euros) + Decimal(cents) / 100
    return -amount if match["minus"] else amount


@given(
    st.decimals(0, 2_000_000, places=2).map(abs),
    st.sampled_from(["{} €", "€{}", "€ {}", "{}€", "{}\u00a0€", "-{} €", "{} EUR"]),
    st.booleans(),
    st.sampled_from(LANGUAGES),
)
def test_an_amount_read_back_is_the_amount_written(amount, form, is_grouped, language):
    written = f"{amount:,.2f}" if is_grouped else f"{amount:.2f}"
    written = written.translate(str.maketrans(",.", ".,"))
    said = spoken(f"({form.format(written)})", language).strip("()")
    expected = -amount if form.startswith("-") else amount
    assert amount_of(said, language) == expected


PIECES = [
    *(
        "1",
        "12",
        "1999",
        "3,5",
        "1.000",
        "10 000",
        "-5",
        "5%",
        "10-20 %",
        "2,99 €",
        "$10",
        "R$ 5,50",
    ),
    *(
        "1/2",
        "2 1/2",
        "½",
        "8/10",
        "14:30",
        "14h30",
        "9-17 Uhr",
        "24.12.2024",
        "24/12",
        "2024-12-24",
    ),
    *("3.", "1er", "2º", "3ª", "1°", "20 °C", "XIV", "IV.", "Louis XIV", "siglo V", "km/h", "5 kg"),
    *("z. B.", "Dr.", "M.", "etc.", "Nr. 5", "p. 12", "§ 5", "A4", "COVID-19", "v1.2.3", "24/7"),
    *(
        "3:2",
        "5 - 3 = 2",
        "3 x 4",
        "1990er",
        "'90",
        "a@b.de",
        "www.a.fr/1",
        "+49 30 12345",
        "&",
        "#1",
    ),
    *(
        "Haus",
        "maison",
        "casas",
        "l’homme",
        "und",
        "le",
        "mit",
        "Mai",
        "mayo",
        "1 Mio.",
        "M€",
        "5 €/kg",
    ),
]
SEPARATORS = (" ", " ", " ", ", ", ". ", "\n", " - ", "-", "/", "(", ") ", "–", ":", "\u00a0")
mixed = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(SEPARATORS)), max_size=8).map(
    lambda parts: "".join(piece + separator for piece, separator in parts)
)


@given(mixed, languages)
def test_no_word_is_lost_and_no_two_are_glued(text, language):
    """Each word of letters is there, in order and apart; where one is written out, its place is."""
    model = ModelInfo(id="m", kind=Kind.TTS)
    script = prepare(SpeechRequest(text=text, voice="v", language=language), model, OPTIONS)
    covered = [False] * len(text)
    for piece in script:
        assert isinstance(piece, Utterance)
        position = 0
        for edit in piece.edits:
            assert position <= edit.start <= edit.end <= len(piece.text)
            position = edit.end
            before, after = piece.text[: edit.start], piece.text[edit.end :]
            new = piece.text[edit.start : edit.end]
            old = text[edit.source_start : edit.source_end]
            # Words meet only where they met before: "3-Zimmer", but never "dreiZimmer".
            if new and before and _meets(before[-1], new[0]):
                assert _meets(text[edit.source_start - 1], old[0])
                assert _is_part(before, new)
            if new and after and _meets(new[-1], after[0]):
                assert _meets(old[-1], text[edit.source_end])
            if any(each.isalnum() for each in old):
                assert any(each.isalnum() for each in new), (old, new)
        source_end = piece.start + len(piece.text)
        if piece.edits:
            last = piece.edits[-1]
            source_end = len(piece.text) - last.end + last.source_end
        covered[piece.start : source_end] = [True] * (source_end - piece.start)
    assert not [a for a, seen in zip(text, covered, strict=True) if a.isalnum() > seen]


def _meets(one: str, other: str) -> bool:
    return one.isalnum() and other.isalnum()


def _is_part(before: str, new: str) -> bool:
    """The second half of a word that was one word before: ``Hauptstr.`` is ``Hauptstraße``."""
    return before[-1].islower() and new[0].islower()


@given(mixed, st.sampled_from(LANGUAGES), st.sets(st.sampled_from(list(TokenKind))))
def test_what_an_engine_reads_is_left_to_it(text, language, kinds):
    every = ModelInfo(id="m", kind=Kind.TTS, reads={"*": frozenset(TokenKind)})
    some = ModelInfo(id="m", kind=Kind.TTS, reads={"*": frozenset(kinds)})
    left = spoken(text, language, model=every)
    # Pieces of signs alone are left out.
    assert [each for each in left if each.isalnum()] == [each for each in text if each.isalnum()]
    spoken(text, language, model=some)


NASTY = (
    *("1", "1.", "1,", "1 ", "1-", "1:", "1/", "1.000", "1,000", "'", "1'000", "1°", "1h", "1º"),
    *(
        "€",
        "€1",
        "1€",
        "1-1€",
        "R$ ",
        "5 - ",
        "5 x ",
        "= ",
        "1/2 ",
        "½",
        "24.12.",
        "12/12/",
        "2024-12-",
    ),
    *(
        "X",
        "XI ",
        "IX",
        "Louis X",
        "Karl ",
        "s. ",
        "z. ",
        "p. ",
        "M. ",
        "a.",
        "01 ",
        "+1 ",
        "12:30-",
    ),
    *("1 Mio. ", "der 1. ", "le 1", "%", "°", "-", "\u2212", "&", "#", "Abc ", "10 000 ", "\u00a0"),
)


@pytest.mark.parametrize("unit", NASTY)
def test_a_hostile_text_is_no_work(unit):
    text = (unit * 2_000)[:2_000]
    begin = time.process_time()
    for language in LANGUAGES:
        spoken(text, language)
    # A second; whatever is not linear takes minutes.
    assert time.process_time() - begin < 60
