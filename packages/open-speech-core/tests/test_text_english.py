# ruff: noqa: RUF001 - signs are what this is about
"""English, kind by kind: what is written, and what is spoken."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech._synthesis.utterances import Utterance
from open_speech._types.models import Kind, ModelInfo
from open_speech._types.speech import SpeechRequest
from open_speech._types.tokens import TokenKind
from open_speech.text import TextOptions
from open_speech.text.lang.en import LANGUAGE
from open_speech.text.prepare import prepare

MODEL = ModelInfo(id="m", kind=Kind.TTS, languages=("en-US",))

KINDS = {
    TokenKind.NUMBER: [
        ("1,234 of 1 000 000", "one thousand two hundred thirty-four of one million"),
        ("-.25 or .5 or ±5", "minus zero point two five or zero point five or plus or minus five"),
        ("1,00,000 and 10 000", "one hundred thousand and ten thousand"),
        ("1.5M, 10k, 2bn", "one point five million, ten thousand, two billion"),
        ("0.007", "zero point zero zero seven"),
        ("It weighs 12,5 kg.", "It weighs twelve point five kilograms."),
        ("0,75 l and 3,5%", "zero point seven five liters and three point five percent"),
        ("Take 1,2,3 or [4,5].", "Take one, two, three or [four, five]."),
        ("open 24/7/365", "open twenty-four seven three sixty-five"),
        ("Windows 10/11, iPhone 14/15", "Windows ten slash eleven, iPhone fourteen slash fifteen"),
        (
            "ZIP 90210-1234; Salem, OR 97301",
            "ZIP nine zero two one zero, one two three four; Salem, OR nine seven three zero one",
        ),
        (
            "1.000.000 of 1e-5 or 2.5e10",
            (
                "one million of one times ten to the power of minus five or "
                "two point five times ten to the power of ten"
            ),
        ),
        ("10x faster, 3x as many", "ten times faster, three times as many"),
    ],
    TokenKind.ORDINAL: [
        ("the 2nd, 11th and 1,000th", "the second, eleventh and one thousandth"),
    ],
    TokenKind.FRACTION: [
        ("Add 2 1/2 cups of flour.", "Add two and a half cups of flour."),
        ("1/2 cup, ½ cup, 2½ cups", "one half cup, one half cup, two and a half cups"),
        ("Drill a 5/8 inch hole.", "Drill a five eighths inch hole."),
        ("1 3/4 and 7/16 and 2/3rds", "one and three quarters and seven sixteenths and two thirds"),
        ("⅓, ⅞, 3⅛", "one third, seven eighths, three and an eighth"),
        ("page 1/3, rated 4/5", "page one of three, rated four out of five"),
        ("a pressure of 120/80", "a pressure of one hundred twenty over eighty"),
        ("open 24/7 or 50/50", "open twenty-four seven or fifty fifty"),
        ("20/20 vision", "twenty twenty vision"),
    ],
    TokenKind.PERCENT: [
        (
            "0.5%, 100 % and ±5%",
            "zero point five percent, one hundred percent and plus or minus five percent",
        ),
        ("~7% or 3‰", "about seven percent or three per mille"),
    ],
    TokenKind.MONEY: [
        (
            "A ticket costs CA$10 or AU$15.",
            "A ticket costs ten Canadian dollars or fifteen Australian dollars.",
        ),
        (
            "R$5, HK$8, NT$30, A$2.50",
            (
                "five Brazilian reais, eight Hong Kong dollars, thirty New Taiwan dollars, two "
                "Australian dollars and fifty cents"
            ),
        ),
        (
            "US$1, NZ$1, C$7, S$8, MX$9",
            (
                "one US dollar, one New Zealand dollar, seven Canadian dollars, eight Singapore "
                "dollars, nine Mexican pesos"
            ),
        ),
        ("Give me $.50 or $0.05 for it.", "Give me fifty cents or five cents for it."),
        (
            "€2,99 and 1.234,56 €",
            (
                "two euros and ninety-nine cents and one thousand two hundred thirty-four euros "
                "and fifty-six cents"
            ),
        ),
        (
            "50¢, 100¥, 10 €, 20£ or 5$",
            "fifty cents, one hundred yen, ten euros, twenty pounds or five dollars",
        ),
        (
            "£1.5m, $2bn, $3 trillion, €5k",
            (
                "one point five million pounds, two billion dollars, three trillion dollars, "
                "five thousand euros"
            ),
        ),
        (
            "USD 50, 20 EUR, CHF 5.50",
            "fifty US dollars, twenty euros, five Swiss francs and fifty centimes",
        ),
        ("$20/month or $5/hr", "twenty dollars per month or five dollars per hour"),
        ("a $5 bill, -$3, +$4", "a five dollar bill, minus three dollars, plus four dollars"),
        (
            "₹500, ₩900, ₽3, ₺2, zł",
            "five hundred rupees, nine hundred won, three rubles, two liras, zł",
        ),
        (
            "It costs €2,99, not €3,50; or 4,25 €.",
            (
                "It costs two euros and ninety-nine cents, not three euros and fifty cents; or "
                "four euros and twenty-five cents."
            ),
        ),
    ],
    TokenKind.RANGE: [
        ("The budget is $10-$20 per seat.", "The budget is ten to twenty dollars per seat."),
        (
            "$5-10, $5–$10 million, 10-20€",
            "five to ten dollars, five to ten million dollars, ten to twenty euros",
        ),
        ("$1.50-$2.50", "one dollar and fifty cents to two dollars and fifty cents"),
        ("Prices rose 5%-10% in May.", "Prices rose five to ten percent in May."),
        ("Save 10-20% or 5 % – 10 %", "Save ten to twenty percent or five to ten percent"),
        ("9am-5pm, 9–11 a.m., noon-1pm", "nine AM to five PM, nine to eleven a.m., noon to one PM"),
        ("9:00-17:30", "nine o'clock to seventeen thirty"),
        ("pp. 10-12, 1-2 weeks, 1st-3rd", "pages ten to twelve, one to two weeks, first to third"),
        (
            "1990-95 and 1914–1918",
            "nineteen ninety to ninety-five and nineteen fourteen to nineteen eighteen",
        ),
        (
            "20-30k people, 3-4x, 50-50",
            "twenty to thirty thousand people, three to four times, fifty fifty",
        ),
        ("won 3-2, at 16:9", "won three to two, at sixteen to nine"),
        ("Q1-Q3, A1–A4", "Q one to Q three, A one to A four"),
    ],
    TokenKind.ARITHMETIC: [
        ("5 - 3 = 2", "five minus three equals two"),
        ("2+2=4, 7 ÷ 2, 2 x 3", "two plus two equals four, seven divided by two, two times three"),
        ("x<5 and a != b", "x less than five and a is not equal to b"),
        ("x^2+3x-4", "x squared plus three x minus four"),
        ("x = 5, E = mc², 2^10", "x equals five, E equals mc squared, two to the power of ten"),
        ("3 < 5, >10, ≤7", "three less than five, more than ten, at most seven"),
        ("10⁻³ and x³", "ten to the power of minus three and x cubed"),
        ("x < y and y > z", "x less than y and y greater than z"),
        ("x**2 and 2**10", "x squared and two to the power of ten"),
    ],
    TokenKind.DATE: [
        (
            "at 2024-12-25T10:30:00Z",
            "at December twenty-fifth, twenty twenty-four, at ten thirty UTC",
        ),
        ("2024-12-25 22:15", "December twenty-fifth, twenty twenty-four, at twenty-two fifteen"),
        (
            "12-25-2024, 2024/12/25, 12/25/24",
            ", ".join(["December twenty-fifth, twenty twenty-four"] * 3),
        ),
        (
            "May 5-7, Dec. 25, 5 May 2024",
            "May fifth to seventh, December twenty-fifth, the fifth of May twenty twenty-four",
        ),
        ("on 5/12, 12/25", "on May twelfth, December twenty-fifth"),
        ("2024-02, Jan. 2024", "February twenty twenty-four, January twenty twenty-four"),
        ("Dec 31–Jan 2", "December thirty-first to January second"),
        ("Mon., Dec. 5", "Monday, December fifth"),
        ("May 1,2024", "May one, twenty twenty-four"),
        ("the 9/11 attacks, on 9/11", "the nine eleven attacks, on September eleventh"),
    ],
    TokenKind.YEAR: [
        ("class of '05, '98", "class of oh five, ninety-eight"),
        ("FY2023/24, FY2024", "FY twenty twenty-three to twenty-four, FY twenty twenty-four"),
        ("in Q3'23", "in Q three twenty-three"),
        ("In 1066, not in 1066 cases.", "In ten sixty-six, not in one thousand sixty-six cases."),
    ],
    TokenKind.DECADE: [
        ("the 1960s-70s, 80s music", "the nineteen sixties to seventies, eighties music"),
        ("Music of the 2000s and '90s", "Music of the two thousands and nineties"),
        (
            "in her 30s, the mid-1980s, 1910s",
            "in her thirties, the mid-nineteen eighties, nineteen tens",
        ),
    ],
    TokenKind.TIME: [
        ("Meet at 3:05 pm. It is 5:00 o'clock.", "Meet at three oh five PM. It is five o'clock."),
        ("10 a.m. now, 12:45, 10.30am", "ten a.m. now, twelve forty-five, ten thirty AM"),
        (
            "a 4:05.32 mile, 12:03:07.5",
            "a four oh five point three two mile, twelve oh three oh seven point five",
        ),
    ],
    TokenKind.UNIT: [
        (
            "5 km/h, 5 mg/dL, 10 MB/s",
            "five kilometers per hour, five milligrams per deciliter, ten megabytes per second",
        ),
        ("He is 5'10\". She is 5’4”.", "He is five feet ten inches. She is five feet four inches."),
        (
            "10°-20°, 10-20°C, -5°",
            "ten to twenty degrees, ten to twenty degrees Celsius, minus five degrees",
        ),
        (
            "2h30m, 6ft 2in, 5 x 10 cm",
            "two hours thirty minutes, six feet two inches, five by ten centimeters",
        ),
        (
            "½ tsp, 1 1/2 lbs, 5 ft. tall",
            "one half teaspoon, one and a half pounds, five feet tall",
        ),
        ('a 5 km run, a 12" ruler', "a five kilometer run, a twelve inch ruler"),
        ("40°26′46″N", "forty degrees twenty-six minutes forty-six seconds north"),
        ("20' x 30', 8\" x 10\"", "twenty feet by thirty feet, eight inches by ten inches"),
        ("10 m^2, 5 km^2", "ten square meters, five square kilometers"),
        (
            "9.8 m/s², 3 L/100km",
            "nine point eight meters per second squared, three liters per hundred kilometers",
        ),
    ],
    TokenKind.ROMAN: [
        ("World War II, World Wars I and II", "World War two, World Wars one and two"),
        ("Henry VIII and Elizabeth II's", "Henry the eighth and Elizabeth the second's"),
        (
            "Chapter IV, Part I of, Super Bowl LVIII",
            "Chapter four, Part one of, Super Bowl fifty-eight",
        ),
        ("the XXI century, MMXXIV", "the twenty-first century, twenty twenty-four"),
        (
            "I mix, the IV drip, Malcolm X, Chapter I think",
            "I mix, the IV drip, Malcolm X, Chapter I think",
        ),
        ("a CD, XL, DC, Mix, civil", "a CD, XL, DC, Mix, civil"),
    ],
    TokenKind.CODE: [
        ("A 4K display, 5G, 3D and B2B", "A four K display, five G, three D and B two B"),
        ("COVID-19, F-16, CO2, A4", "COVID-nineteen, F-sixteen, C O two, A-four"),
        ("Room 5B, Q3 2024", "Room five B, Q three twenty twenty-four"),
    ],
    TokenKind.VERSION: [
        (
            "v2.0.1 and 3.11.2, v2",
            "version two point zero point one and three point eleven point two, version two",
        ),
        ("IP 10.0.0.1:8080", "IP ten point zero point zero point one colon eight thousand eighty"),
    ],
    TokenKind.PHONE: [
        (
            "1-800-FLOWERS, 555.123.4567",
            "one, eight zero zero, FLOWERS, five five five, one two three, four five six seven",
        ),
        ("020 7946 0958", "zero two zero, seven nine four six, zero nine five eight"),
        (
            "ISBN 978-3-16-148410-0",
            "ISBN nine seven eight, three, one six, one four eight four one zero, zero",
        ),
        ("Call 911 now", "Call nine one one now"),
        ("(030) 123456", "zero three zero, one two three four five six"),
        (
            "SSN 123-45-6789, a 10-2-1 team",
            "SSN one two three, four five, six seven eight nine, a ten, two, one team",
        ),
    ],
    TokenKind.ABBREVIATION: [
        ("Mt. Everest, St. John St., Ft. Knox", "Mount Everest, Saint John Street, Fort Knox"),
        (
            "123 Main St. Springfield, Elm Dr.",
            "one hundred twenty-three Main Street Springfield, Elm Drive.",
        ),
        ("Mr Smith vs. him, w/o milk", "Mister Smith versus him, without milk"),
        ("and/or, he/she, AC/DC", "and or, he or she, AC DC"),
        ("Acme Inc. is, J. Smith Jr. came", "Acme Incorporated is, J. Smith Junior came"),
        (
            "Vol. 2, Fig. 3, p. 5, ca. 1850",
            "volume two, figure three, page five, circa eighteen fifty",
        ),
    ],
    TokenKind.SYMBOL: [
        ("C#, #1, #tag, @user", "C sharp, number one, hashtag tag, at user"),
        ("a -> b, 5 +/- 2", "a to b, five plus or minus two"),
        ("π, α and ∑", "pi, alpha and sum"),
        ("$ pip install foo", "pip install foo"),
        ("ages 18+, 21+.", "ages eighteen plus, twenty-one plus."),
        ("Invoice #A12", "Invoice number A-twelve"),
    ],
    TokenKind.URL: [
        ("report.pdf, my-file.zip", "report dot PDF, my dash file dot zip"),
        ("C:\\Users\\me\\a.txt", "C colon backslash Users backslash me backslash a dot txt"),
    ],
}
ROWS = [(kind, *row) for kind, rows in KINDS.items() for row in rows]


def spoken(text: str, *, language: str | None = None, model: ModelInfo = MODEL) -> str:
    request = SpeechRequest(text=text, voice="v", language=language)
    script = prepare(request, model, TextOptions(first_max_chars=None))
    return " ".join(piece.text for piece in script if isinstance(piece, Utterance))


@pytest.mark.parametrize(("kind", "text", "expected"), ROWS, ids=[row[1] for row in ROWS])
def test_each_kind_is_read(kind, text, expected):
    assert spoken(text) == expected


@pytest.mark.parametrize(("kind", "text", "expected"), ROWS, ids=[row[1] for row in ROWS])
def test_what_is_written_out_stays(kind, text, expected):
    assert spoken(expected) == expected


@pytest.mark.parametrize(("kind", "text", "expected"), ROWS, ids=[row[1] for row in ROWS])
def test_what_every_rule_finds_is_left_to_an_engine_that_reads_it_all(kind, text, expected):
    assert spoken(text, model=replace(MODEL, reads={"*": frozenset(TokenKind)})) == text


def test_a_stop_that_begins_a_name_is_read():
    assert spoken("Use .NET, .env and ../x.") == "Use dot NET, dot env and dot dot slash x."


def test_every_kind_with_rules_is_shown_here():
    assert {rule.kind for rule in LANGUAGE.rules} - KINDS.keys() == {
        TokenKind.EMAIL,
        TokenKind.PLURAL,
    }


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en-US", "May seventh, twenty twenty-four"),
        ("en", "May seventh, twenty twenty-four"),
        ("en-GB", "the fifth of July, twenty twenty-four"),
        ("en-AU", "the fifth of July, twenty twenty-four"),
    ],
)
@pytest.mark.parametrize("text", ["5/7/2024", "5/7/24", "5-7-2024", "05-07-2024"])
def test_dates_by_locale(language, text, expected):
    assert spoken(text, language=language) == expected


ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = dict(
    zip(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"],
        range(20, 100, 10),
        strict=True,
    )
)
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}


def number(words: str) -> int:
    """The number that words say."""
    total = part = 0
    for word in words.replace("-", " ").split():
        if word in SCALES:
            total, part = total + part * SCALES[word], 0
        elif word == "hundred":
            part *= 100
        else:
            part += TENS[word] if word in TENS else ONES.index(word)
    return total + part


def cents(words: str) -> int:
    """The sum that words say."""
    match = re.fullmatch(
        r"(?:(?P<whole>.+?) (?:dollar|euro|pound)s?)?(?: and )?(?:(?P<part>[a-z -]+?) "
        r"(?:cents?|pence|penny))?",
        words,
    )
    assert match, words
    return 100 * number(match["whole"] or "zero") + number(match["part"] or "zero")


WORDS = st.sampled_from(["apple", "river", "wasn't", "morning", "Anna", "slowly", "e.g.", "Paris"])
sums = st.integers(0, 10**9)


@given(sums, st.sampled_from(["$", "€", "£"]), st.booleans(), WORDS, WORDS)
def test_an_amount_is_read_back_as_it_was_written(amount, sign, grouped, before, after):
    whole, part = divmod(amount, 100)
    written = f"{whole:,}.{part:02}" if grouped else f"{whole}.{part:02}"
    words = spoken(f"{before} {sign}{written} {after}").split(" ")
    said = spoken(f"{sign}{written}")
    assert cents(said) == amount
    assert f" {said} " in f" {' '.join(words)} "


@given(sums, st.sampled_from(["€", "$"]))
def test_an_amount_with_a_decimal_comma_is_read_back(amount, sign):
    whole, part = divmod(amount, 100)
    european = f"{whole:,}".replace(",", ".")
    assert cents(spoken(f"{sign}{european},{part:02}")) == amount
    assert cents(spoken(f"{whole},{part:02} €")) == amount


@given(st.integers(0, 999), st.integers(0, 999), st.sampled_from(["%", "$", "", " kg", "°"]))
def test_both_ends_of_a_range_are_read(first, last, unit):
    text = f"${first}-${last}" if unit == "$" else f"{first}-{last}{unit}"
    head, _, tail = spoken(text).partition(" to ")
    assert number(head) == first
    assert number(re.sub(r" (?:percent|dollars?|kilograms?|degrees?)$", "", tail)) == last


TOKENS = [text for _, text, _ in ROWS] + [
    "5",
    "$3",
    "10%",
    "1/2",
    "2nd",
    "3pm",
    "5kg",
    "12/25",
    "7-8",
]


@given(st.lists(st.one_of(WORDS, st.sampled_from(TOKENS)), max_size=8).map(" ".join))
def test_no_figure_is_left_and_no_number_is_glued_to_another_word(text):
    said = spoken(text)
    assert not re.search(r"\d", said)
    for one, other in pairwise(re.findall(r"[A-Za-z]+", said)):
        assert not (one + other in ONES and f"{one}{other}" in said.split() and one in ONES)
    runs = re.findall(r"[a-z]+", said.lower())
    glued = re.compile(rf"(?:{'|'.join(ONES)})(?:{'|'.join([*ONES, *TENS])})")
    real = {*ONES, *TENS, "sixteenths", "eighteenth"}
    assert not [run for run in runs if glued.fullmatch(run) and run not in real]


@given(st.lists(st.tuples(WORDS, st.sampled_from(TOKENS)), min_size=1, max_size=5))
def test_no_word_is_lost_between_tokens(pairs):
    text = " ; ".join(f"{word} ; {token}" for word, token in pairs)
    said = spoken(text).replace("for example", "e.g.")
    position = 0
    for word, _ in pairs:
        position = said.index(word, position) + len(word)


@given(st.text(st.sampled_from("0123456789 .,-–/:$€£%'\"°x=+()ab½²IVX"), max_size=40))
def test_any_mix_of_figures_and_signs_is_words_in_the_end(text):
    assert not re.search(r"\d", spoken(text))
