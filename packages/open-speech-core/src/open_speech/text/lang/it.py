"""Italian."""

# ruff: noqa: RUF001 - signs are what this is about

from __future__ import annotations

import re

from ._comma import language
from ._comma.genders import behind, by_ending, words
from ._comma.grammar import Clock, Fractions, Grammar, Noun, Romans, f, m, same

_MONTHS = (
    "gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre",
    "ottobre", "novembre", "dicembre",
)  # fmt: skip
_CENT = m("centesimo", "centesimi")
_MONEY = {
    "€ EUR": (m("euro"), _CENT),
    "$ US$ USD": (m("dollaro", "dollari"), _CENT),
    "£ GBP": (f("sterlina", "sterline"), m("penny")),
    "CHF Fr.": (m("franco svizzero", "franchi svizzeri"), _CENT),
    "¥ JPY": (m("yen", single="uno yen"), None),
    "CN¥ CNY": (m("yuan", single="uno yuan"), None),
    "CA$ C$ CAD": (m("dollaro canadese", "dollari canadesi"), _CENT),
    "AU$ A$ AUD": (m("dollaro australiano", "dollari australiani"), _CENT),
    "NZ$ NZD": (m("dollaro neozelandese", "dollari neozelandesi"), _CENT),
    "HK$ HKD": (m("dollaro di Hong Kong", "dollari di Hong Kong"), _CENT),
    "NT$ TWD": (m("dollaro di Taiwan", "dollari di Taiwan"), _CENT),
    "S$ SGD": (m("dollaro di Singapore", "dollari di Singapore"), _CENT),
    "R$ BRL": (m("real", "reais"), m("centavo", "centavos")),
    "MX$ MXN": (m("peso messicano", "pesos messicani"), m("centavo", "centavos")),
    "₹ INR": (f("rupia", "rupie"), f("paisa", "paise")),
    "₩ KRW": (m("won"), None),
    "₽ RUB": (m("rublo", "rubli"), m("copeco", "copechi")),
    "₺ TRY": (f("lira turca", "lire turche"), None),
    "zł PLN": (m("zloty", single="uno zloty"), None),
    "SEK": (f("corona svedese", "corone svedesi"), None),
    "NOK": (f("corona norvegese", "corone norvegesi"), None),
    "DKK": (f("corona danese", "corone danesi"), None),
}
_UNITS = {
    "mm": m("millimetro", "millimetri"), "cm": m("centimetro", "centimetri"),
    "m": m("metro", "metri"), "km": m("chilometro", "chilometri"),
    "mg": m("milligrammo", "milligrammi"), "g gr": m("grammo", "grammi"),
    "hg": m("ettogrammo", "ettogrammi"), "kg": m("chilogrammo", "chilogrammi"),
    "t": f("tonnellata", "tonnellate"), "ml mL": m("millilitro", "millilitri"),
    "cl cL": m("centilitro", "centilitri"), "dl": m("decilitro", "decilitri"),
    "l L": m("litro", "litri"), "ms": m("millisecondo", "millisecondi"),
    "s sec": m("secondo", "secondi"), "min": m("minuto", "minuti"), "h": f("ora", "ore"),
    "km/h": m("chilometro orario", "chilometri orari"),
    "m/s": m("metro al secondo", "metri al secondo"),
    "km²": m("chilometro quadrato", "chilometri quadrati"),
    "m² mq": m("metro quadrato", "metri quadrati"),
    "cm²": m("centimetro quadrato", "centimetri quadrati"),
    "m³ mc": m("metro cubo", "metri cubi"), "cm³": m("centimetro cubo", "centimetri cubi"),
    "ha": m("ettaro", "ettari"), "W": m("watt"), "kW": m("chilowatt"), "MW": m("megawatt"),
    "GW": m("gigawatt"), "kWh": m("chilowattora"), "V": m("volt"), "Hz": m("hertz"),
    "kHz": m("chilohertz"), "MHz": m("megahertz"), "GHz": m("gigahertz"), "dB": m("decibel"),
    "hPa": m("ettopascal"), "kB KB": m("kilobyte"), "MB": m("megabyte"), "GB": m("gigabyte"),
    "TB": m("terabyte"), "Mbit/s": m("megabit al secondo"), "CV": m("cavallo", "cavalli"),
    "kcal": f("chilocaloria", "chilocalorie"),
}  # fmt: skip
_PARTS = {
    3: m("terzo", "terzi"), 4: m("quarto", "quarti"), 5: m("quinto", "quinti"),
    6: m("sesto", "sesti"), 7: m("settimo", "settimi"), 8: m("ottavo", "ottavi"),
    9: m("nono", "noni"), 1000: m("millesimo", "millesimi"),
}  # fmt: skip
_NOT_NOUNS = (
    "di del della dei degli delle dello dal da la le lo il i gli a al alla ai alle in nel "
    "nella e ed o od è sono era erano fu con per che chi si se non né più meno volte come "
    "quando dove tra fra su sul senza un una uno ma già ha hanno ogni contro fino circa sotto "
    "sopra"
)
_gender = by_ending(
    feminine="a zione sione gione tà tù trice",
    feminine_words=(
        "mano foto moto auto notte parte carne chiave classe gente legge mente morte nave "
        "neve rete voce croce radio luce fine tesi crisi analisi bici base fase frase torre "
        "pace ore tazze case volte persone settimane pagine"
    ),
    masculine_words=(
        "problema programma sistema tema pianeta poema clima dramma schema diploma sintomo "
        "papa artista atleta turista fantasma aroma gorilla cinema panorama"
    ),
    others=_NOT_NOUNS,
)
_LABELS = behind(
    "numero n. n° pagina pagine capitolo tomo volume articolo livello versione linea porta "
    "sala camera stanza binario atto scena sezione parte tipo classe gruppo formula fase "
    "giorno domanda esercizio punto piano canale passo il la"
)
_IMPURE = re.compile(r"(?:s[bcdfghlmnpqrtvz]|z|gn|ps|pn|x|y|i[aeou])", re.IGNORECASE)
_ARTICLE = behind("il lo del dello al allo dal nel sul")
_FUNCTION_WORDS = words(_NOT_NOUNS)
_NOUN_AHEAD = re.compile(r"[ \u00a0]([a-zàèéìòù]{2,40}|[A-ZÀÈÉ][a-zàèéìòù]{2,40})")


def _gender_or_uno(following: str, count: int) -> str:
    """Tell a gender, or that "uno" stands before the noun."""
    gender = _gender(following, count)
    return "" if gender == "m" and count == 1 and _IMPURE.match(following) else gender


def _per(noun: Noun) -> str:
    if noun.one[0] in "aeiou":
        return "all'"
    return "alla " if noun.gender == "f" else "al "


def _form(form: str, before: str, following: str) -> str | None:
    """Tell a place in an order ("il 3° posto") from degrees ("20° di giorno")."""
    if form != "degree":
        return form
    noun = _NOUN_AHEAD.match(following)
    is_before_noun = noun and noun[1] not in _FUNCTION_WORDS
    return "m" if is_before_noun or _ARTICLE.search(before) else None


GRAMMAR = Grammar(
    code="it",
    point_regions=frozenset({"CH"}),
    variants={"CH": {"franco svizzero": "franco", "franchi svizzeri": "franchi"}},
    rulesets={
        "": "spellout-numbering", "m": "spellout-cardinal-masculine",
        "f": "spellout-cardinal-feminine",
    },
    only_one_agrees=True,
    place=lambda form: f"spellout-ordinal-{'feminine' if form == 'f' else 'masculine'}",
    digits_after_comma=False,
    comma="virgola", stop="punto", minus="meno", plus="più", to="a", from_="da",
    not_from=re.compile(
        r"(?:\b(?:ore|il|lo|la|i|gli|le|un|una|da|d[aei]l(?:l[aeo])?|dai|dagli|di|dei|degli|al|allo|alla|alle|ai|agli|nel"
        r"|nella|nei|nelle|sul|sulla|tra|fra|in|circa|con|per|a)[ \u00a0]|l['\u2019])$",
        re.IGNORECASE,
    ),
    by="per", versus="a", per=_per,
    of="di",
    percent={"%": same("per cento"), "‰": same("per mille")},
    money=_MONEY,
    coins={"ct": _CENT, "cent": _CENT, "¢": _CENT},
    cents=lambda whole, _short, named: f"{whole} e {named}",
    scales={
        "milione milioni mln mln. Mio Mln": (m("milione", "milioni"), True),
        "miliardo miliardi mld mld. Mld mrd": (m("miliardo", "miliardi"), True),
        "mila": (same("mila"), False),
    },
    glued_scales={"Mln": "milione", "mln": "milione", "M": "milione", "k": "mila"},
    units=_UNITS,
    degrees={
        "°C °_C ºC ℃": m("grado Celsius", "gradi Celsius"),
        "°F °_F ºF ℉": m("grado Fahrenheit", "gradi Fahrenheit"), "°": m("grado", "gradi"),
    },
    months=_MONTHS,
    short_months=r"gen\.|feb\.|mar\.|apr\.|mag\.|giu\.|lug\.|ago\.|sett?\.|ott\.|nov\.|dic\.",
    date=lambda day, month, year: f"{day} {month} {year}".strip(),
    day_words=("il", "dal", "al", "del"),
    day=lambda day, _region, _before: "primo" if day == 1 else None,
    clock=Clock(
        minute=m("minuto", "minuti"),
        hour=f("ora", "ore", single="un'ora"), full=lambda _hour: False, before_minutes=" e ",
        seconds=m("secondo", "secondi"), marks="ore|h", from_="dalle", to="alle",
        dotted=r"\b(?:[Aa]lle|[Dd]alle|[Oo]re|[Ll]e)[ \u00a0](?P<clock>CLOCK)(?!\w|[.,:]\d)",
    ),
    romans=Romans(
        men=frozenset({
            "Luigi", "Carlo", "Enrico", "Filippo", "Napoleone", "Giovanni", "Giovanni Paolo",
            "Paolo", "Pio", "Benedetto", "Leone", "Gregorio", "Guglielmo", "Giorgio", "Edoardo",
            "Alberto", "Leopoldo", "Federico", "Alessandro", "Nicola", "Pietro", "Riccardo",
            "Giacomo", "Ramses", "Ferdinando", "Alfonso", "Clemente", "Innocenzo", "Urbano",
            "Bonifacio", "Sisto", "Giulio", "Vittorio Emanuele", "Umberto", "Cosimo", "Francesco",
            "Carlo Alberto", "Amedeo", "Ottone", "Celestino",
        }),
        women=frozenset({"Elisabetta", "Caterina", "Maria", "Margherita", "Isabella", "Giovanna"}),
        places_up_to=99,
        before="capitolo|Capitolo|tomo|Tomo|libro|Libro|atto|Atto|volume|Volume|titolo|Titolo|articolo|fase|Fase"
        "|tipo|Tipo|allegato|scena",
        centuries="secolo|secoli|Secolo",
        ahead={
            "[Gg]uerra [Mm]ondiale": "f", "secolo|Secolo": "m", "Repubblica|edizione|Edizione": "f",
            "Olimpiade|legislatura|Legislatura|Internazionale|Crociata|crociata": "f",
            "Municipio|Congresso|congresso|Concilio|Festival|canto|Canto": "m",
        },
    ),
    fractions=Fractions(
        half="un mezzo", half_m="mezzo", half_f="mezza", and_half="e mezzo", and_half_f="e mezza",
        and_="e", names=_PARTS,
        otherwise=lambda words: m(f"{words[:-1]}esimo", f"{words[:-1]}esimi"),
        of="di", over="su", out_of="su",
    ),
    ordinals=(
        (r"NUMBER\.?ª(?!\w)", "f"),
        (r"NUMBER[°º](?!\w|[ ]?[CF](?!\w))", "degree"),
    ),
    form=_form,
    titles={
        "Sig.": "signor", "Sig.ra": "signora", "Sig.na": "signorina", "Sigg.": "signori",
        "Dott.": "dottor", "Dr.": "dottor", "Dott.ssa": "dottoressa", "Prof.": "professor",
        "Prof.ssa": "professoressa", "Ing.": "ingegner", "Avv.": "avvocato", "Geom.": "geometra",
        "Arch.": "architetto", "On.": "onorevole", "Rag.": "ragionier", "Mons.": "monsignor",
        "V.le": "viale", "v.le": "viale", "P.zza": "piazza", "p.zza": "piazza", "C.so": "corso",
        "c.so": "corso", "Gen.": "generale",
    },
    counters={
        "n.": "numero", "N.": "Numero", "n°": "numero", "nº": "numero", "№": "numero",
        "pag.": "pagina", "pagg.": "pagine", "p.": "pagina", "pp.": "pagine", "art.": "articolo",
        "cap.": "capitolo", "vol.": "volume", "fig.": "figura", "tel.": "telefono",
        "Tel.": "telefono",
    },
    phrases={
        "ad es.": "ad esempio", "p. es.": "per esempio", "per es.": "per esempio",
        "cfr.": "confronta", "ca.": "circa", "max.": "massimo", "min.": "minimo", "es.": "esempio",
        "c.d.": "cosiddetto", "p.v.": "prossimo venturo", "vs.": "contro", "sec.": "secolo",
        "tel.": "telefono", "Tel.": "telefono",
    },
    finals={
        "ecc": "eccetera", "etc": "eccetera", "a. C": "avanti Cristo", "d. C": "dopo Cristo",
    },
    signs={
        "&": "e", "@": "chiocciola", "%": "per cento", "‰": "per mille", "§": "paragrafo",
        "§§": "paragrafi", "°": "gradi", "=": "uguale", "+": "più", "±": "più o meno",
        "×": "per", "÷": "diviso", "€": "euro", "$": "dollari", "£": "sterline",
        "≈": "circa uguale a", "≤": "minore o uguale a", "≥": "maggiore o uguale a",
        "≠": "diverso da", "→": "", "©": "copyright", "®": "", "™": "",
        "#1": "numero", "#a": "hashtag",
    },
    operators={
        "-": "meno", "−": "meno", "–": "meno", "+": "più", "×": "per", "x": "per", "*": "per",
        "·": "per", "÷": "diviso", ":": "diviso", "/": "diviso", "=": "uguale",
    },
    address_signs={
        ".": "punto", "/": "barra", "-": "trattino", "_": "trattino basso", "@": "chiocciola",
        "?": "punto interrogativo", "=": "uguale", "&": "e", "%": "per cento",
        "#": "cancelletto", ":": "due punti", "~": "tilde", "+": "più", ",": "virgola",
        "v": "versione",
    },
    phones=(
        r"0\d{1,4}[ /.-]\d{2,8}(?:[ .-]\d{2,6}){0,3}",
        r"3\d{2}[ .-]\d{3}[ .-]?\d{4}",
        r"3\d{2}[ /]\d{6,7}",
    ),
    weekdays={
        "lun": "lunedì", "mar": "martedì", "mer": "mercoledì", "gio": "giovedì",
        "ven": "venerdì", "sab": "sabato", "dom": "domenica",
    },
    around_the_clock={
        "24/7": "ventiquattro ore su ventiquattro, sette giorni su sette",
        "24 ore su 24": "ventiquattro ore su ventiquattro",
        "7 giorni su 7": "sette giorni su sette",
    },
    decades="anni",
    gender=_gender_or_uno,
    labels=_LABELS,
)  # fmt: skip
LANGUAGE = language(GRAMMAR)
