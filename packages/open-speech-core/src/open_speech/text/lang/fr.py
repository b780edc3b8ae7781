"""French."""

# ruff: noqa: RUF001 - signs are what this is about

from __future__ import annotations

from ._comma import language
from ._comma.genders import behind, by_ending
from ._comma.grammar import Clock, Fractions, Grammar, Romans, f, m, same

_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
    "novembre", "décembre",
)  # fmt: skip
_MONEY = {
    "€ EUR": (m("euro", "euros"), m("centime", "centimes")),
    "$ US$ USD": (m("dollar", "dollars"), m("cent", "cents")),
    "£ GBP": (f("livre sterling", "livres sterling"), m("penny", "pence")),
    "CHF Fr.": (m("franc suisse", "francs suisses"), m("centime", "centimes")),
    "¥ JPY": (m("yen", "yens"), None),
    "CN¥ CNY": (m("yuan", "yuans"), None),
    "CA$ C$ CAD": (m("dollar canadien", "dollars canadiens"), m("cent", "cents")),
    "AU$ A$ AUD": (m("dollar australien", "dollars australiens"), m("cent", "cents")),
    "NZ$ NZD": (m("dollar néo-zélandais", "dollars néo-zélandais"), m("cent", "cents")),
    "HK$ HKD": (m("dollar de Hong Kong", "dollars de Hong Kong"), m("cent", "cents")),
    "NT$ TWD": (m("dollar de Taïwan", "dollars de Taïwan"), m("cent", "cents")),
    "S$ SGD": (m("dollar de Singapour", "dollars de Singapour"), m("cent", "cents")),
    "R$ BRL": (m("réal", "réals"), m("centavo", "centavos")),
    "MX$ MXN": (m("peso mexicain", "pesos mexicains"), m("centavo", "centavos")),
    "₹ INR": (f("roupie", "roupies"), m("paisa", "paisas")),
    "₩ KRW": (m("won", "wons"), None),
    "₽ RUB": (m("rouble", "roubles"), m("kopeck", "kopecks")),
    "₺ TRY": (f("livre turque", "livres turques"), None),
    "zł PLN": (m("zloty", "zlotys"), None),
    "SEK": (f("couronne suédoise", "couronnes suédoises"), None),
    "NOK": (f("couronne norvégienne", "couronnes norvégiennes"), None),
    "DKK": (f("couronne danoise", "couronnes danoises"), None),
    "FCFA XOF XAF": (m("franc CFA", "francs CFA"), None),
}
_UNITS = {
    "mm": m("millimètre", "millimètres"), "cm": m("centimètre", "centimètres"),
    "m": m("mètre", "mètres"), "km": m("kilomètre", "kilomètres"),
    "mg": m("milligramme", "milligrammes"), "g": m("gramme", "grammes"),
    "kg": m("kilogramme", "kilogrammes"), "t": f("tonne", "tonnes"),
    "ml mL": m("millilitre", "millilitres"), "cl cL": m("centilitre", "centilitres"),
    "dl dL": m("décilitre", "décilitres"), "l L": m("litre", "litres"),
    "ms": f("milliseconde", "millisecondes"), "s sec": f("seconde", "secondes"),
    "min mn": f("minute", "minutes"), "h": f("heure", "heures"), "j": m("jour", "jours"),
    "km/h": m("kilomètre par heure", "kilomètres par heure"),
    "m/s": m("mètre par seconde", "mètres par seconde"),
    "km²": m("kilomètre carré", "kilomètres carrés"), "m²": m("mètre carré", "mètres carrés"),
    "cm²": m("centimètre carré", "centimètres carrés"), "m³": m("mètre cube", "mètres cubes"),
    "cm³": m("centimètre cube", "centimètres cubes"), "ha": m("hectare", "hectares"),
    "W": m("watt", "watts"), "kW": m("kilowatt", "kilowatts"), "MW": m("mégawatt", "mégawatts"),
    "GW": m("gigawatt", "gigawatts"), "kWh": m("kilowattheure", "kilowattheures"),
    "V": m("volt", "volts"), "kV": m("kilovolt", "kilovolts"), "Hz": m("hertz"),
    "kHz": m("kilohertz"), "MHz": m("mégahertz"), "GHz": m("gigahertz"),
    "dB": m("décibel", "décibels"),
    "hPa": m("hectopascal", "hectopascals"), "bar": m("bar", "bars"),
    "Ko ko": m("kilooctet", "kilooctets"), "Mo": m("mégaoctet", "mégaoctets"),
    "Go": m("gigaoctet", "gigaoctets"), "To": m("téraoctet", "téraoctets"),
    "Mbit/s": m("mégabit par seconde", "mégabits par seconde"), "ch": m("cheval", "chevaux"),
    "kcal": f("kilocalorie", "kilocalories"),
}  # fmt: skip
_PARTS = {
    3: m("tiers"), 4: m("quart", "quarts"), 5: m("cinquième", "cinquièmes"),
    6: m("sixième", "sixièmes"), 7: m("septième", "septièmes"), 8: m("huitième", "huitièmes"),
    9: m("neuvième", "neuvièmes"),
}  # fmt: skip
_NOT_NOUNS = (
    "de du des d la le les l à a au aux en et ou est sont par pour sur dans que qui ne pas "
    "plus fois seul seule était fut sera avec sans contre ans euros je tu il elle nous vous "
    "ils y"
)
_gender = by_ending(
    feminine=(
        "tion sion té ette ence ance ure ée ine elle esse ise ude ie aison ière euse trice lle sse "
        "nne che que ue ade"
    ),
    feminine_words=(
        "heure minute seconde semaine personne page femme maison voiture place part nuit "
        "tasse cuillère fois goutte carte lettre table porte ville rue chambre pomme poire "
        "pièce tonne tranche main tête image phrase note étoile équipe école orange pinte "
        "boîte robe route étape ligne banane ampoule"
    ),
    masculine_words=(
        "musée lycée été côté comité silence génie incendie magazine murmure squelette manque "
        "masque disque chèque risque moustique kiosque parapluie foie trophée traité député "
        "carré degré dimanche manche poste domaine"
    ),
    others=_NOT_NOUNS,
)
_LABELS = behind(
    "numéro n° nº page pages chapitre tome volume article niveau version étape chaîne ligne "
    "place chambre salle porte quai voie acte scène section partie type classe groupe formule "
    "phase jour question exercice point étage"
)


def _cents(whole: str, short: str, named: str) -> str:
    return f"{whole} {short}" if short else f"{whole} et {named}"


def _place(form: str) -> str:
    return "spellout-ordinal-feminine" if form == "f" else "spellout-ordinal-masculine"


GRAMMAR = Grammar(
    code="fr",
    locales={"CH": "fr_CH", "BE": "fr_BE"},
    variants={"CH": {"franc suisse": "franc", "francs suisses": "francs"}},
    point_regions=frozenset({"CH"}),
    rulesets={
        "": "spellout-numbering", "m": "spellout-cardinal-masculine",
        "f": "spellout-cardinal-feminine",
    },
    place=_place,
    singular_below_two=True, singular_zero=True, digits_after_comma=False,
    comma="virgule", stop="point", minus="moins", plus="plus", to="à", by="sur", versus="à",
    per=lambda _noun: "par ",
    of="de", of_vowel="d'",
    percent={"%": same("pour cent"), "‰": same("pour mille")},
    money=_MONEY,
    coins={"ct": m("centime", "centimes"), "cts": m("centime", "centimes"),
    "¢": m("cent", "cents")},
    cents=_cents,
    scales={
        "million millions": (m("million", "millions"), True),
        "milliard milliards Md Mds Mrd": (m("milliard", "milliards"), True),
        "mille": (same("mille"), False),
    },
    glued_scales={"Md": "milliard", "M": "million", "k": "mille"},
    units=_UNITS,
    degrees={
        "°C °_C ℃": m("degré Celsius", "degrés Celsius"),
        "°F °_F ℉": m("degré Fahrenheit", "degrés Fahrenheit"), "°": m("degré", "degrés"),
    },
    months=_MONTHS,
    short_months=r"janv\.|févr?\.|avr\.|juil\.|sept\.|oct\.|nov\.|déc\.",
    date=lambda day, month, year: f"{day} {month} {year}".strip(),
    day_words=("le", "du", "au"),
    day=lambda day, _region, _before: "premier" if day == 1 else None,
    clock=Clock(
        minute=f("minute", "minutes"),
        hour=f("heure", "heures"), full=lambda _hour: True, before_minutes="", minutes="f",
        seconds=f("seconde", "secondes"), marks="heures?|h", letter=True,
    ),
    romans=Romans(
        men=frozenset({
            "Louis", "Charles", "Henri", "François", "Philippe", "Napoléon", "Jean", "Jean-Paul",
            "Paul", "Pie", "Benoît", "Léon", "Grégoire", "Guillaume", "Georges", "Édouard",
            "Albert",
            "Léopold", "Baudouin", "Frédéric", "Alexandre", "Nicolas", "Pierre", "Richard",
            "Jacques",
            "Ramsès", "Ferdinand", "Alphonse", "Clément", "Innocent", "Urbain", "Childéric",
            "Clovis",
            "Victor-Emmanuel", "Joseph", "Rodolphe", "Hassan", "Mohammed",
        }),
        women=frozenset({"Élisabeth", "Elizabeth", "Catherine", "Marie", "Marguerite", "Isabelle"}),
        places_up_to=1,
        before="chapitre|Chapitre|tome|Tome|livre|Livre|acte|Acte|volume|Volume|partie|Partie|titre|Titre|article|Article"
        "|phase|type|Type|annexe|Annexe|scène|Scène",
    ),
    fractions=Fractions(
        half="un demi", half_m="un demi", half_f="une demi", and_half="et demi",
        and_half_f="et demie", and_="et", names=_PARTS,
        otherwise=lambda words: m(f"{words.rstrip('e')}ième", f"{words.rstrip('e')}ièmes"),
        of="de", over="sur", out_of="sur",
    ),
    ordinals=(
        (r"(?P<number>1|I)(?:ers?|ᵉʳ)(?!\w)", "m"),
        (r"(?P<number>1)(?:[eè]?re)s?(?!\w)", "f"),
        (r"NUMBER[ ]?(?:i?[èe]me|e|ᵉ)s?(?!\w)", "m"),
        (r"ROMAN(?:[èe]me|e|ᵉ)s?(?!\w)", "m"),
    ),
    titles={
        "M.": "Monsieur", "MM.": "Messieurs", "Mme": "Madame", "Mmes": "Mesdames",
        "Mlle": "Mademoiselle", "Mlles": "Mesdemoiselles", "Dr": "Docteur", "Dr.": "Docteur",
        "Pr": "Professeur", "Pr.": "Professeur", "Prof.": "Professeur", "Me": "Maître",
        "St": "Saint", "Ste": "Sainte", "Mgr": "Monseigneur", "av.": "avenue", "bd": "boulevard",
        "Bd": "Boulevard", "bd.": "boulevard", "pl.": "place",
    },
    counters={
        "n°": "numéro", "N°": "Numéro", "nº": "numéro", "Nº": "Numéro", "no": "numéro",
        "№": "numéro",
        "n°s": "numéros", "p.": "page", "pp.": "pages", "art.": "article", "chap.": "chapitre",
        "vol.": "volume", "fig.": "figure", "tél.": "téléphone", "Tél.": "Téléphone",
    },
    phrases={
        "p. ex.": "par exemple",
        "M. et Mme": "Monsieur et Madame", "par ex.": "par exemple", "c.-à-d.": "c'est-à-dire",
        "env.": "environ", "cf.": "voir", "av. J.-C.": "avant Jésus-Christ",
        "apr. J.-C.": "après Jésus-Christ", "ap. J.-C.": "après Jésus-Christ",
        "s.v.p.": "s'il vous plaît",
        "max.": "maximum", "min.": "minimum", "2nd": "second", "2nde": "seconde", "2ds": "seconds",
        "Cie": "compagnie", "tél.": "téléphone", "Tél.": "Téléphone",
    },
    finals={"etc": "etcétéra", "éd": "édition"},
    signs={
        "&": "et", "@": "arobase", "%": "pour cent", "‰": "pour mille", "§": "paragraphe",
        "§§": "paragraphes", "°": "degrés", "=": "égale", "+": "plus", "±": "plus ou moins",
        "×": "fois", "÷": "divisé par", "€": "euros", "$": "dollars", "£": "livres",
        "≈": "environ égal à", "≤": "inférieur ou égal à", "≥": "supérieur ou égal à",
        "≠": "différent de", "→": "", "©": "copyright", "®": "", "™": "",
        "#1": "numéro", "#a": "hashtag",
    },
    operators={
        "-": "moins", "−": "moins", "–": "moins", "+": "plus", "×": "fois", "x": "fois",
        "*": "fois", "·": "fois", "÷": "divisé par", ":": "divisé par", "/": "divisé par",
        "=": "égale",
    },
    address_signs={
        ".": "point", "/": "barre oblique", "-": "tiret", "_": "tiret bas", "@": "arobase",
        "?": "point d'interrogation", "=": "égale", "&": "et", "%": "pour cent", "#": "dièse",
        ":": "deux-points", "~": "tilde", "+": "plus", ",": "virgule", "v": "version",
    },
    phones=(
        r"0\d(?:[ .\u00a0\u202f-]\d\d){4}",
        r"0\d{3}[ /]\d{2}[ ./]?\d{2}[ ./]?\d{2}",
    ),
    phone_pairs=True,
    weekdays={
        "lun": "lundi", "mar": "mardi", "mer": "mercredi", "jeu": "jeudi", "ven": "vendredi",
        "sam": "samedi", "dim": "dimanche",
    },
    around_the_clock={
        "24/7": "vingt-quatre heures sur vingt-quatre, sept jours sur sept",
        "24h/24": "vingt-quatre heures sur vingt-quatre",
        "24 h/24": "vingt-quatre heures sur vingt-quatre",
        "24/24": "vingt-quatre heures sur vingt-quatre",
        "7j/7": "sept jours sur sept", "7 j/7": "sept jours sur sept", "7/7": "sept jours sur sept",
    },
    decades="années",
    gender=_gender,
    labels=_LABELS,
)  # fmt: skip
LANGUAGE = language(GRAMMAR)
