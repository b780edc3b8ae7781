"""German."""

# ruff: noqa: RUF001 - signs are what this is about

from __future__ import annotations

import re

from .. import numbers
from ._comma import language
from ._comma.genders import behind, one_of, words
from ._comma.grammar import Clock, Fractions, Grammar, Noun, Romans, f, m, n

_MONTHS = (
    "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
    "November", "Dezember",
)  # fmt: skip
_MONEY = {
    "€ EUR": (m("Euro"), m("Cent")),
    "$ US$ USD US-Dollar": (m("Dollar"), m("Cent")),
    "£ GBP": (n("Pfund"), m("Penny", "Pence")),
    "CHF Fr. sFr. SFr.": (m("Franken"), m("Rappen")),
    "¥ JPY": (m("Yen"), None),
    "CN¥ CNY": (m("Yuan"), None),
    "CA$ C$ CAD": (m("kanadischer Dollar", "kanadische Dollar"), m("Cent")),
    "AU$ A$ AUD": (m("australischer Dollar", "australische Dollar"), m("Cent")),
    "NZ$ NZD": (m("Neuseeland-Dollar"), m("Cent")),
    "HK$ HKD": (m("Hongkong-Dollar"), m("Cent")),
    "NT$ TWD": (m("Taiwan-Dollar"), m("Cent")),
    "S$ SGD": (m("Singapur-Dollar"), m("Cent")),
    "R$ BRL": (m("Real", "Reais"), m("Centavo", "Centavos")),
    "MX$ MXN": (m("mexikanischer Peso", "mexikanische Pesos"), m("Centavo", "Centavos")),
    "₹ INR": (f("Rupie", "Rupien"), m("Paisa")),
    "₩ KRW": (m("Won"), None),
    "₽ RUB": (m("Rubel"), f("Kopeke", "Kopeken")),
    "₺ TRY": (f("Lira"), m("Kuruş")),
    "zł PLN": (m("Zloty"), m("Groschen")),
    "SEK": (f("schwedische Krone", "schwedische Kronen"), m("Öre")),
    "NOK": (f("norwegische Krone", "norwegische Kronen"), m("Öre")),
    "DKK": (f("dänische Krone", "dänische Kronen"), m("Öre")),
}
_SCALES = {
    "Tsd. Tsd": (Noun("tausend", "tausend", "m"), False),
    "Mio. Mio Mill. Million Millionen": (f("Million", "Millionen"), False),
    "Mrd. Mrd Md. Milliarde Milliarden": (f("Milliarde", "Milliarden"), False),
    "Bio. Billion Billionen": (f("Billion", "Billionen"), False),
}
_UNITS = {
    "mm": m("Millimeter"), "cm": m("Zentimeter"), "dm": m("Dezimeter"), "m": m("Meter"),
    "km": m("Kilometer"), "mg": n("Milligramm"), "g": n("Gramm"), "kg": n("Kilogramm"),
    "t": f("Tonne", "Tonnen"), "ml": m("Milliliter"), "cl": m("Zentiliter"), "l L": m("Liter"),
    "ms": f("Millisekunde", "Millisekunden"), "s Sek. sek": f("Sekunde", "Sekunden"),
    "min Min.": f("Minute", "Minuten"), "h Std. Std": f("Stunde", "Stunden"),
    "km/h": m("Kilometer pro Stunde"), "m/s": m("Meter pro Sekunde"),
    "km²": m("Quadratkilometer"), "m² qm": m("Quadratmeter"), "cm²": m("Quadratzentimeter"),
    "m³": m("Kubikmeter"), "cm³": m("Kubikzentimeter"), "ha": m("Hektar"),
    "W": n("Watt"), "kW": n("Kilowatt"), "MW": n("Megawatt"), "GW": n("Gigawatt"),
    "kWh": f("Kilowattstunde", "Kilowattstunden"), "V": n("Volt"), "kV": n("Kilovolt"),
    "mA": n("Milliampere"), "Hz": n("Hertz"), "kHz": n("Kilohertz"), "MHz": n("Megahertz"),
    "GHz": n("Gigahertz"), "hPa": n("Hektopascal"), "bar": n("Bar"), "dB": n("Dezibel"),
    "EL": m("Esslöffel"), "TL": m("Teelöffel"),
    "kB KB": n("Kilobyte"), "MB": n("Megabyte"), "GB": n("Gigabyte"), "TB": n("Terabyte"),
    "kbit/s": n("Kilobit pro Sekunde"), "Mbit/s": n("Megabit pro Sekunde"),
    "Gbit/s": n("Gigabit pro Sekunde"), "PS": n("PS"), "kcal": f("Kilokalorie", "Kilokalorien"),
    "°C ℃": Noun("Grad Celsius", "Grad Celsius", "n"),
}  # fmt: skip
_PARTS = {
    3: n("Drittel"), 4: n("Viertel"), 5: n("Fünftel"), 6: n("Sechstel"), 7: n("Siebtel"),
    8: n("Achtel"), 9: n("Neuntel"), 12: n("Zwölftel"), 16: n("Sechzehntel"),
    1000: n("Tausendstel"),
}  # fmt: skip
_FEMININE = re.compile(
    rf"(?:{one_of('ung heit keit schaft ion tät ik ur enz anz ei in e')})$|^(?:"
    + one_of(
        "Stadt Nacht Frau Hand Bank Uhr Zahl Art Wurst Person Tür Maus Kuh Mark Bahn Wahl Fahrt "
        "Form Nummer Feder Leiter Mauer Regel Insel Gabel Schwester Tochter Mutter"
    )
    + ")$"
)
_NEUTER = re.compile(
    rf"(?:{one_of('chen lein ment um')})$|(?:"
    + one_of(
        "jahr kapitel buch spiel mal haus kind semester quartal viertel drittel gramm zimmer pfund "
        "jahrhundert kilo glas stück bier auto tor bild land dorf wort foto video brot jahrzehnt"
    )
    + ")$|^Ei$",
    re.IGNORECASE,
)
_MASCULINE = re.compile(
    "(?:"
    + one_of(
        "name kunde junge löwe hase affe käse kollege termin verein wein stein schein teil urin "
        "rubin see tee kaffee"
    )
    + ")$",
    re.IGNORECASE,
)
_NOUN = re.compile(
    r"(?P<adjective>[a-zäöüß]{2,30}(?P<ending>e|er|es)[ \u00a0])?"
    r"(?P<noun>[A-ZÄÖÜ][a-zäöüß]{1,40})"
)
_NOT_ADJECTIVES = words(
    "wurde hatte konnte musste sollte wollte machte ohne heute alle diese eine aber oder über "
    "unter bitte"
)
_LABELS = behind(
    "Nummer Nr. Seite Kapitel Platz Zimmer Gleis Linie Teil Band Formel Klasse Stufe Level Version "
    "Punkt Artikel Absatz Paragraf § Typ Halle Raum Abschnitt Runde Tag Woche Schritt Kanal Phase "
    "Haus Block"
)
# What makes the ending of an adjective, from the words right before it.
_OWN = "mein dein sein kein ihr unser euer"
_WEAK_N = re.compile(
    "(?:"
    rf"\b(?:{one_of('am im vom zum zur beim den dem des bis seit ab beiden')}"
    rf"|(?:{one_of(_OWN)}|ein|dies|jed)(?:em|en|er|es))"
    rf"|\b(?:{one_of('in an auf mit nach von zu bei aus seit während wegen vor über unter')})"
    r"[ ]der)[ \u00a0]$",
    re.IGNORECASE,
)
_WEAK_E = behind(
    "der die das diese jede dieser jeder jedes eine meine deine seine keine ihre unsere eure"
)
_STRONG = behind(f"ein {_OWN}")
_LISTED = re.compile(r"\d{1,3}\.[ \u00a0](?:und|oder|bis|sowie)[ \u00a0]$")
"""What stands between an article and the second of two places: "das 3. und 4. Kapitel"."""
_GENITIVE = re.compile(r"\b[A-ZÄÖÜ][a-zäöüß]{2,30}s[ \u00a0]$")
"""Beethovens 9. Sinfonie."""
_MONTH = re.compile(rf"[ \u00a0](?:{'|'.join(_MONTHS)})\b")


def _gender(following: str, _count: int) -> str:
    """Tell the gender of a noun by its ending; only "ein" and "eine" need it."""
    noun = _NOUN.match(following)
    if noun is None:
        return ""
    if adjective := noun["adjective"]:
        if adjective.strip() in _NOT_ADJECTIVES:
            return ""
        return "f" if noun["ending"] == "e" else "m"
    return _noun_gender(noun["noun"])


def _noun_gender(noun: str) -> str:
    if _NEUTER.search(noun):
        return "n"
    if _MASCULINE.search(noun):
        return "m"
    return "f" if _FEMININE.search(noun) else "m"


def _ending(before: str, gender: str) -> str:
    before = _LISTED.sub("", before)
    if _WEAK_N.search(before):
        return "n"
    if _WEAK_E.search(before):
        return ""
    return {"f": "", "n": "s"}.get(gender, "r")


def _form(form: str, before: str, following: str) -> str | None:
    """Tell a place in an order ("am 3. Mai") from a number that ends a sentence."""
    noun = _NOUN.match(following.lstrip(" \u00a0"))
    ending = _ending(before, _noun_gender(noun["noun"]) if noun else "m")
    before = _LISTED.sub("", before)
    patterns = (_GENITIVE, _WEAK_N, _WEAK_E, _STRONG)
    has_article = any(pattern.search(before) for pattern in patterns)
    if form == "roman" or has_article or _MONTH.match(following):
        return ending
    goes_on = following[:1] in " \u00a0" and following[1:2].islower()
    return ending if goes_on else None


def _day(day: int, _region: str, before: str) -> str | None:
    return numbers.spelled(day, "de", _place(_ending(before, "m")))


def _place(form: str) -> str:
    return f"spellout-ordinal-{form}" if form else "spellout-ordinal"


def _cents(whole: str, short: str, named: str) -> str:
    return f"{whole} {short}" if short else f"{whole} und {named}"


GRAMMAR = Grammar(
    code="de",
    locales={},
    point_regions=frozenset({"CH", "LI"}),
    rulesets={
        "": "spellout-numbering", "m": "spellout-cardinal-masculine",
        "f": "spellout-cardinal-feminine", "n": "spellout-cardinal-neuter",
    },
    place=_place,
    year="spellout-numbering-year",
    comma="Komma", stop="Punkt", minus="minus", plus="plus", to="bis", by="mal", versus="zu",
    per=lambda _noun: "pro ",
    percent={"%": n("Prozent"), "‰": n("Promille")},
    money=_MONEY,
    coins={"ct": m("Cent"), "Ct": m("Cent"), "ct.": m("Cent"), "¢": m("Cent")},
    cents=_cents,
    scales=_SCALES,
    glued_scales={"Mio": "Mio.", "Mrd": "Mrd.", "M": "Mio.", "T": "Tsd.", "k": "Tsd."},
    units=_UNITS,
    degrees={
        "°C °_C ℃": n("Grad Celsius"), "°F °_F ℉": n("Grad Fahrenheit"), "°": n("Grad"),
    },
    months=_MONTHS,
    short_months=r"Jan\.|Feb\.|Mär\.|Apr\.|Jun\.|Jul\.|Aug\.|Sept?\.|Okt\.|Nov\.|Dez\.",
    date=lambda day, month, year: f"{day} {month} {year}".strip(),
    day=_day,
    utc="U T C",
    clock=Clock(
        minute=f("Minute", "Minuten"),
        hour=m("Uhr"), full=lambda _hour: True, before_minutes="", seconds=f("Sekunde", "Sekunden"),
        marks="Uhr",
        dotted=r"(?<![\w:.,/-])(?P<clock>CLOCK[ \u00a0]?Uhr)(?!\w)",
    ),
    romans=Romans(
        men=frozenset({
            "Ludwig", "Karl", "Wilhelm", "Friedrich", "Heinrich", "Otto", "Georg", "Eduard",
            "Johannes", "Johannes Paul", "Benedikt", "Pius", "Leo", "Gregor", "Philipp", "Franz",
            "Joseph", "Napoleon", "Richard", "Peter", "Alexander", "Nikolaus", "Ramses", "August",
            "Maximilian", "Charles", "Albert", "Gustav", "Christian", "Clemens", "Innozenz",
            "Urban",
            "Ferdinand", "Leopold", "Rudolf", "Konrad", "Friedrich Wilhelm", "Jakob", "Iwan",
            "Paul",
        }),
        women=frozenset({"Elisabeth", "Katharina", "Margarethe", "Maria", "Johanna", "Beatrix"}),
        places_up_to=99,
        article=lambda gender, genitive: "des" if genitive else "die" if gender == "f" else "der",
        before="Kapitel|Band|Teil|Akt|Buch|Abschnitt|Klasse|Stufe|Phase|Typ|Artikel|Hartz",
        ahead={"Weltkrieg(?:e?s)?": "roman", "Jahrhundert(?:s|e)?": "roman",
        "Internationale": "roman"},
    ),
    fractions=Fractions(
        half="ein halb", half_m="ein halber", half_f="eine halbe", half_n="ein halbes",
        and_half="einhalb", and_half_f="einhalb", and_="und", names=_PARTS,
        otherwise=lambda words: n(f"{words}stel"), over="zu", out_of="von", half_behind=False,
    ),
    ordinals=(
        (r"NUMBER\.(?=[ \u00a0]?[A-Za-zÄÖÜäöüß])(?![A-Za-z])", "places"),
        (r"NUMBER\.(?=-)", "places"),
    ),
    form=_form,
    ruler_form=lambda _gender, genitive: "n" if genitive else "",
    titles={
        "Dr.": "Doktor", "Dres.": "Doktores", "Prof.": "Professor", "Hr.": "Herr", "Hrn.": "Herrn",
        "Fr.": "Frau", "Frl.": "Fräulein", "Dipl.-Ing.": "Diplomingenieur", "St.": "Sankt",
        "Gebr.": "Gebrüder", "Fa.": "Firma", "med.": "med.", "jur.": "jur.",
    },
    counters={
        "Nr.": "Nummer", "Nrn.": "Nummern", "№": "Nummer", "S.": "Seite", "Bd.": "Band",
        "Kap.": "Kapitel", "Abs.": "Absatz", "Art.": "Artikel", "Abb.": "Abbildung",
        "Tab.": "Tabelle",
        "Tel.": "Telefon", "Ziff.": "Ziffer", "Jg.": "Jahrgang", "Aufl.": "Auflage",
    },
    phrases={
        "z. B.": "zum Beispiel", "d. h.": "das heißt", "u. a.": "unter anderem",
        "z. T.": "zum Teil",
        "i. d. R.": "in der Regel", "u. U.": "unter Umständen", "m. E.": "meines Erachtens",
        "s. o.": "siehe oben", "s. u.": "siehe unten", "v. a.": "vor allem", "i. A.": "im Auftrag",
        "z. Zt.": "zurzeit", "z. Hd.": "zu Händen", "sog.": "sogenannte", "bzw.": "beziehungsweise",
        "ca.": "zirka", "evtl.": "eventuell", "ggf.": "gegebenenfalls", "inkl.": "inklusive",
        "exkl.": "exklusive", "zzgl.": "zuzüglich", "abzgl.": "abzüglich", "max.": "maximal",
        "min.": "minimal", "vgl.": "vergleiche", "geb.": "geboren", "gest.": "gestorben",
        "insb.": "insbesondere", "allg.": "allgemein", "Tel.": "Telefon", "Std.": "Stunden",
        "Min.": "Minuten", "Sek.": "Sekunden", "Mio.": "Millionen", "Mrd.": "Milliarden",
    },
    finals={
        "usw": "und so weiter", "usf": "und so fort", "etc": "und so weiter",
        "o. Ä": "oder Ähnliches",
        "u. Ä": "und Ähnliches", "v. Chr": "vor Christus", "n. Chr": "nach Christus",
        "Jh": "Jahrhundert",
    },
    signs={
        "&": "und", "@": "at", "%": "Prozent", "‰": "Promille", "§": "Paragraf", "§§": "Paragrafen",
        "°": "Grad", "=": "gleich", "+": "plus", "±": "plus minus", "×": "mal",
        "÷": "geteilt durch",
        "€": "Euro", "$": "Dollar", "£": "Pfund", "≈": "ungefähr gleich", "≤": "kleiner gleich",
        "≥": "größer gleich", "≠": "ungleich", "→": "", "©": "Copyright", "®": "", "™": "",
        "#1": "Nummer", "#a": "Hashtag",
    },
    operators={
        "-": "minus", "−": "minus", "–": "minus", "+": "plus", "×": "mal", "x": "mal", "*": "mal",
        "·": "mal", "÷": "geteilt durch", ":": "geteilt durch", "/": "geteilt durch", "=": "gleich",
    },
    address_signs={
        ".": "Punkt", "/": "Schrägstrich", "-": "Bindestrich", "_": "Unterstrich", "@": "at",
        "?": "Fragezeichen", "=": "gleich", "&": "und", "%": "Prozent", "#": "Raute",
        ":": "Doppelpunkt", "~": "Tilde", "+": "plus", ",": "Komma", "v": "Version",
    },
    phones=(
        r"\(?0\d{1,5}\)?[ ]?[/-][ ]?\d{2,9}(?:[ -]\d{1,9}){0,4}",
        r"\(?0\d{1,5}\)?(?:[ ]\d{2,9}){1,5}",
    ),
    weekdays={
        "Mo": "Montag", "Di": "Dienstag", "Mi": "Mittwoch", "Do": "Donnerstag", "Fr": "Freitag",
        "Sa": "Samstag", "So": "Sonntag",
    },
    around_the_clock={"24/7": "vierundzwanzig sieben"},
    gender=_gender,
    labels=_LABELS,
)  # fmt: skip
LANGUAGE = language(GRAMMAR)
