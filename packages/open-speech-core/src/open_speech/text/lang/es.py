"""Spanish."""

# ruff: noqa: RUF001 - signs are what this is about

from __future__ import annotations

import re

from ._comma import language
from ._comma.genders import behind, by_ending, words
from ._comma.grammar import Clock, Fractions, Grammar, Romans, f, m, same

_MONTHS = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
    "octubre", "noviembre", "diciembre",
)  # fmt: skip
_CENT = m("centavo", "centavos")
_MONEY = {
    "€ EUR": (m("euro", "euros"), m("céntimo", "céntimos")),
    "$ US$ USD U$S": (m("dólar", "dólares"), _CENT),
    "£ GBP": (f("libra", "libras"), m("penique", "peniques")),
    "CHF": (m("franco suizo", "francos suizos"), m("céntimo", "céntimos")),
    "¥ JPY": (m("yen", "yenes"), None),
    "CN¥ CNY": (m("yuan", "yuanes"), None),
    "CA$ C$ CAD": (m("dólar canadiense", "dólares canadienses"), _CENT),
    "AU$ A$ AUD": (m("dólar australiano", "dólares australianos"), _CENT),
    "NZ$ NZD": (m("dólar neozelandés", "dólares neozelandeses"), _CENT),
    "HK$ HKD": (m("dólar de Hong Kong", "dólares de Hong Kong"), _CENT),
    "NT$ TWD": (m("dólar taiwanés", "dólares taiwaneses"), _CENT),
    "S$ SGD": (m("dólar de Singapur", "dólares de Singapur"), _CENT),
    "R$ BRL": (m("real", "reales"), _CENT),
    "MX$ Mex$ MXN": (m("peso mexicano", "pesos mexicanos"), _CENT),
    "AR$ ARS": (m("peso argentino", "pesos argentinos"), _CENT),
    "peso pesos": (m("peso", "pesos"), _CENT),
    "COP": (m("peso colombiano", "pesos colombianos"), _CENT),
    "CLP": (m("peso chileno", "pesos chilenos"), _CENT),
    "S/ PEN": (m("sol", "soles"), m("céntimo", "céntimos")),
    "₹ INR": (f("rupia", "rupias"), f("paisa", "paisas")),
    "₩ KRW": (m("won", "wones"), None),
    "₽ RUB": (m("rublo", "rublos"), m("kopek", "kopeks")),
    "₺ TRY": (f("lira turca", "liras turcas"), None),
    "zł PLN": (m("esloti", "eslotis"), None),
    "SEK": (f("corona sueca", "coronas suecas"), None),
    "NOK": (f("corona noruega", "coronas noruegas"), None),
    "DKK": (f("corona danesa", "coronas danesas"), None),
}
_UNITS = {
    "mm": m("milímetro", "milímetros"), "cm": m("centímetro", "centímetros"),
    "m": m("metro", "metros"), "km": m("kilómetro", "kilómetros"),
    "mg": m("miligramo", "miligramos"), "g gr": m("gramo", "gramos"),
    "kg": m("kilogramo", "kilogramos"), "t": f("tonelada", "toneladas"),
    "ml mL": m("mililitro", "mililitros"), "cl cL": m("centilitro", "centilitros"),
    "dl": m("decilitro", "decilitros"), "l L": m("litro", "litros"),
    "ms": m("milisegundo", "milisegundos"), "s seg": m("segundo", "segundos"),
    "min": m("minuto", "minutos"), "h": f("hora", "horas"),
    "km/h": m("kilómetro por hora", "kilómetros por hora"),
    "m/s": m("metro por segundo", "metros por segundo"),
    "km²": m("kilómetro cuadrado", "kilómetros cuadrados"),
    "m²": m("metro cuadrado", "metros cuadrados"),
    "cm²": m("centímetro cuadrado", "centímetros cuadrados"),
    "m³": m("metro cúbico", "metros cúbicos"), "cm³": m("centímetro cúbico", "centímetros cúbicos"),
    "ha": f("hectárea", "hectáreas"), "W": m("vatio", "vatios"), "kW": m("kilovatio", "kilovatios"),
    "MW": m("megavatio", "megavatios"), "GW": m("gigavatio", "gigavatios"),
    "kWh": m("kilovatio hora", "kilovatios hora"), "V": m("voltio", "voltios"),
    "Hz": m("hercio", "hercios"), "kHz": m("kilohercio", "kilohercios"),
    "MHz": m("megahercio", "megahercios"), "GHz": m("gigahercio", "gigahercios"),
    "dB": m("decibelio", "decibelios"), "hPa": m("hectopascal", "hectopascales"),
    "kB KB": m("kilobyte", "kilobytes"), "MB": m("megabyte", "megabytes"),
    "GB": m("gigabyte", "gigabytes"), "TB": m("terabyte", "terabytes"),
    "Mbit/s Mbps": m("megabit por segundo", "megabits por segundo"),
    "kcal": f("kilocaloría", "kilocalorías"), "CV": m("caballo", "caballos"),
}  # fmt: skip
_PARTS = {
    3: m("tercio", "tercios"), 4: m("cuarto", "cuartos"), 5: m("quinto", "quintos"),
    6: m("sexto", "sextos"), 7: m("séptimo", "séptimos"), 8: m("octavo", "octavos"),
    9: m("noveno", "novenos"), 1000: m("milésimo", "milésimos"),
}  # fmt: skip
_NOT_NOUNS = (
    "de del la las los el lo a al en y e o u es son era eran fue está están hay con por para "
    "que se si no ni más menos veces como cuando donde entre sobre sin su sus mi tu un una "
    "unas pero ya ha han tiene cada hasta desde contra"
)
_gender = by_ending(
    feminine="a ción cion sión sion cione sione dad dade tad tade tud tude umbre",
    feminine_words=(
        "mano foto moto noche tarde vez mujer clase calle flor parte fuente llave nube serie "
        "leche red luz voz muerte imagen orden sede base frase torre nave vece mujere flore "
        "rede luce voce imágene"
    ),
    masculine_words=(
        "día mapa problema programa sistema tema planeta poema idioma clima sofá tranvía "
        "drama esquema diploma cometa síntoma artista atleta turista dilema fantasma emblema "
        "aroma"
    ),
    others=_NOT_NOUNS,
    plural=True,
)
_LABELS = behind(
    "número núm. n.º nº página páginas capítulo tomo volumen artículo nivel versión línea "
    "puerta sala habitación andén vía acto escena sección parte tipo clase grupo fórmula fase "
    "día pregunta ejercicio punto piso canal paso el la"
)
_FUNCTION_WORDS = words(_NOT_NOUNS)
_NOUN_AHEAD = re.compile(r"[ \u00a0]([a-zñáéíóú]{3,40})")


def _form(form: str, _before: str, following: str) -> str | None:
    noun = _NOUN_AHEAD.match(following)
    is_before_noun = noun and noun[1] not in _FUNCTION_WORDS
    return "adjective" if form == "m" and is_before_noun else form


def _place(form: str) -> str:
    if form == "adjective":
        return "spellout-ordinal-masculine-adjective"
    return "spellout-ordinal-feminine" if form == "f" else "spellout-ordinal-masculine"


def _half(hour: int, half: str) -> str:
    if half == "a":
        return "de la madrugada" if 1 <= hour < 6 else "de la mañana"
    return "de la tarde" if 1 <= hour < 8 else "del mediodía" if hour == 0 else "de la noche"


GRAMMAR = Grammar(
    code="es",
    point_regions=frozenset({"MX", "US", "GT", "HN", "NI", "PA", "SV", "DO", "PR", "PE"}),
    rulesets={
        "": "spellout-numbering", "m": "spellout-cardinal-masculine",
        "f": "spellout-cardinal-feminine",
    },
    place=_place,
    digits_after_comma=False,
    comma="coma", stop="punto", minus="menos", plus="más", to="a", by="por", versus="a",
    per=lambda _noun: "por ",
    of="de",
    percent={"%": same("por ciento"), "‰": same("por mil")},
    money=_MONEY,
    dollar_regions=dict.fromkeys(("MX", "AR", "CL", "CO", "CU", "DO", "UY"), "peso"),
    coins={"cts.": m("céntimo", "céntimos"), "cts": m("céntimo", "céntimos"), "¢": _CENT},
    cents=lambda whole, _short, named: f"{whole} con {named}",
    scales={
        "millón millones mill. M": (m("millón", "millones"), True),
        "mil": (same("mil"), False),
        "billón billones": (m("billón", "billones"), True),
    },
    glued_scales={"M": "millón", "k": "mil"},
    units=_UNITS,
    degrees={
        "°C °_C ºC º_C ℃": m("grado Celsius", "grados Celsius"),
        "°F °_F ºF º_F ℉": m("grado Fahrenheit", "grados Fahrenheit"), "°": m("grado", "grados"),
    },
    months=_MONTHS,
    short_months=r"ene\.|feb\.|mar\.|abr\.|may\.|jun\.|jul\.|ago\.|sept?\.|oct\.|nov\.|dic\.",
    date=lambda day, month, year: f"{day} de {month}" + (f" de {year}" if year else ""),
    day_words=("el", "día", "del", "al"),
    day=lambda day, region, _before: "primero" if day == 1 and region != "ES" else None,
    utc="U T C",
    clock=Clock(
        minute=m("minuto", "minutos"),
        hour=f("hora", "horas"), full=lambda hour: hour == 0 or hour > 12, before_minutes=" y ",
        seconds=m("segundo", "segundos"), halves=_half, marks=r"h(?:rs?|s)?|horas?", letter=True,
    ),
    romans=Romans(
        men=frozenset({
            "Carlos", "Felipe", "Fernando", "Alfonso", "Luis", "Enrique", "Juan", "Juan Pablo",
            "Pablo", "Pedro", "Pío", "Benedicto", "León", "Gregorio", "Guillermo", "Jorge",
            "Eduardo", "Alberto", "Leopoldo", "Balduino", "Federico", "Alejandro", "Nicolás",
            "Napoleón", "Ricardo", "Jacobo", "Ramsés", "Clemente", "Inocencio", "Urbano", "Jaime",
            "Sancho", "Ramiro", "Bonifacio", "Sixto", "Francisco", "José", "Maximiliano",
        }),
        women=frozenset({"Isabel", "Catalina", "María", "Juana", "Margarita", "Cristina"}),
        places_up_to=10,
        before="capítulo|Capítulo|tomo|Tomo|libro|Libro|acto|Acto|volumen|Volumen|parte|Parte|título|Título|artículo"
        "|fase|Fase|tipo|Tipo|anexo|Anexo|escena|siglos",
        centuries="siglo|Siglo|s\\.",
        ahead={
            "[Gg]uerra [Mm]undial": "f", "República": "f", "Cumbre": "f", "Edición|edición": "f",
            "Olimpiada": "f",
            "Congreso|Concurso|Festival|Concilio|Encuentro|Plan|Premio": "adjective",
        },
    ),
    fractions=Fractions(
        half="un medio", half_m="medio", half_f="media", and_half="y medio", and_half_f="y media",
        and_="y", names=_PARTS, otherwise=lambda words: m(f"{words}avo", f"{words}avos"),
        of="de", over="sobre", out_of="sobre",
    ),
    ordinals=(
        (r"NUMBER\.?[ºᵒ](?!\w|[ ]?[CF](?!\w))", "m"),
        (r"NUMBER\.?(?:ª|ᵃ)(?!\w)", "f"),
        (r"NUMBER\.?er(?!\w)", "adjective"),
        (r"NUMBER(?:ro|do|to|vo|mo|no)(?!\w)", "m"),
        (r"NUMBER(?:ra|da|ta|va|ma|na)(?!\w)", "f"),
    ),
    form=_form,
    titles={
        "Sr.": "señor", "Sra.": "señora", "Srta.": "señorita", "Sres.": "señores", "Dr.": "doctor",
        "Dra.": "doctora", "D.": "don", "D.ª": "doña", "Dña.": "doña", "Prof.": "profesor",
        "Profa.": "profesora", "Lic.": "licenciado", "Ing.": "ingeniero", "Arq.": "arquitecto",
        "Sto.": "santo", "Sta.": "santa", "Av.": "avenida", "Avda.": "avenida", "C/": "calle ",
        "c/": "calle ", "Pza.": "plaza", "Gral.": "general", "Pdte.": "presidente",
    },
    counters={
        "n.º": "número", "nº": "número", "N.º": "Número", "Nº": "Número", "n°": "número",
        "núm.": "número", "№": "número", "pág.": "página", "págs.": "páginas", "p.": "página",
        "pp.": "páginas", "art.": "artículo", "cap.": "capítulo", "vol.": "volumen",
        "fig.": "figura", "tel.": "teléfono", "Tel.": "teléfono", "tfno.": "teléfono",
    },
    phrases={
        "p. ej.": "por ejemplo", "Ud.": "usted", "Uds.": "ustedes", "Vd.": "usted",
        "Vds.": "ustedes", "EE. UU.": "Estados Unidos", "EE.UU.": "Estados Unidos",
        "aprox.": "aproximadamente", "máx.": "máximo", "mín.": "mínimo", "esp.": "especialmente",
        "cf.": "véase", "vs.": "contra", "tel.": "teléfono", "Tel.": "teléfono",
        "dcha.": "derecha", "izda.": "izquierda",
    },
    finals={
        "etc": "etcétera", "a. C": "antes de Cristo", "d. C": "después de Cristo",
        "a. de C": "antes de Cristo", "d. de C": "después de Cristo",
    },
    signs={
        "&": "y", "@": "arroba", "%": "por ciento", "‰": "por mil", "§": "sección",
        "§§": "secciones", "°": "grados", "=": "igual a", "+": "más", "±": "más menos", "×": "por",
        "÷": "dividido entre", "€": "euros", "$": "dólares", "£": "libras",
        "≈": "aproximadamente igual a", "≤": "menor o igual que", "≥": "mayor o igual que",
        "≠": "distinto de", "→": "", "©": "copyright", "®": "", "™": "",
        "#1": "número", "#a": "hashtag",
    },
    operators={
        "-": "menos", "−": "menos", "–": "menos", "+": "más", "×": "por", "x": "por", "*": "por",
        "·": "por", "÷": "dividido entre", ":": "dividido entre", "/": "dividido entre",
        "=": "es igual a",
    },
    address_signs={
        ".": "punto", "/": "barra", "-": "guion", "_": "guion bajo", "@": "arroba",
        "?": "signo de interrogación", "=": "igual", "&": "y", "%": "por ciento",
        "#": "almohadilla", ":": "dos puntos", "~": "virgulilla", "+": "más", ",": "coma",
        "v": "versión",
    },
    phones=(
        # Otherwise such groups are a number.
        *(
            rf"(?<={ahead}[ ])\d{{2,3}}(?:[ .-]\d{{2,4}}){{2,4}}"
            for ahead in (r"[Tt]el\.", r"[Tt]el\.:", "eléfono", "eléfono:", "óvil", "al")
        ),
        r"(?<=al )\d{9}",
        r"[6-9]\d{2}(?:[ ]\d{2}){3}",
    ),
    weekdays={
        "lun": "lunes", "mar": "martes", "mié": "miércoles", "jue": "jueves", "vie": "viernes",
        "sáb": "sábado", "dom": "domingo", "L": "lunes", "V": "viernes",
    },
    around_the_clock={"24/7": "veinticuatro horas al día, siete días a la semana"},
    decades="años",
    gender=_gender,
    labels=_LABELS,
)  # fmt: skip
LANGUAGE = language(GRAMMAR)
