"""Portuguese, of Brazil and of Portugal."""

# ruff: noqa: RUF001 - signs are what this is about

from __future__ import annotations

from ._comma import language
from ._comma.genders import behind, by_ending
from ._comma.grammar import Clock, Fractions, Grammar, Romans, f, m, same

_MONTHS = (
    "janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro",
    "outubro", "novembro", "dezembro",
)  # fmt: skip
_CENT = m("centavo", "centavos")
_MONEY = {
    "€ EUR": (m("euro", "euros"), _CENT),
    "$ US$ USD": (m("dólar", "dólares"), _CENT),
    "£ GBP": (f("libra", "libras"), m("pêni", "pence")),
    "CHF": (m("franco suíço", "francos suíços"), _CENT),
    "¥ JPY": (m("iene", "ienes"), None),
    "CN¥ CNY": (m("yuan", "yuans"), None),
    "CA$ C$ CAD": (m("dólar canadense", "dólares canadenses"), _CENT),
    "AU$ A$ AUD": (m("dólar australiano", "dólares australianos"), _CENT),
    "NZ$ NZD": (m("dólar neozelandês", "dólares neozelandeses"), _CENT),
    "HK$ HKD": (m("dólar de Hong Kong", "dólares de Hong Kong"), _CENT),
    "NT$ TWD": (m("dólar taiwanês", "dólares taiwaneses"), _CENT),
    "S$ SGD": (m("dólar de Singapura", "dólares de Singapura"), _CENT),
    "R$ BRL": (m("real", "reais"), _CENT),
    "MX$ MXN": (m("peso mexicano", "pesos mexicanos"), _CENT),
    "₹ INR": (f("rupia", "rupias"), f("paisa", "paisas")),
    "₩ KRW": (m("won", "wons"), None),
    "₽ RUB": (m("rublo", "rublos"), m("copeque", "copeques")),
    "₺ TRY": (f("lira turca", "liras turcas"), None),
    "zł PLN": (m("zloty", "zlotys"), None),
    "SEK": (f("coroa sueca", "coroas suecas"), None),
    "NOK": (f("coroa norueguesa", "coroas norueguesas"), None),
    "DKK": (f("coroa dinamarquesa", "coroas dinamarquesas"), None),
}
_UNITS = {
    "mm": m("milímetro", "milímetros"), "cm": m("centímetro", "centímetros"),
    "m": m("metro", "metros"), "km": m("quilômetro", "quilômetros"),
    "mg": m("miligrama", "miligramas"), "g": m("grama", "gramas"),
    "kg": m("quilograma", "quilogramas"), "t": f("tonelada", "toneladas"),
    "ml mL": m("mililitro", "mililitros"), "cl cL": m("centilitro", "centilitros"),
    "dl": m("decilitro", "decilitros"), "l L": m("litro", "litros"),
    "ms": m("milissegundo", "milissegundos"), "s seg": m("segundo", "segundos"),
    "min": m("minuto", "minutos"), "h": f("hora", "horas"),
    "km/h": m("quilômetro por hora", "quilômetros por hora"),
    "m/s": m("metro por segundo", "metros por segundo"),
    "km²": m("quilômetro quadrado", "quilômetros quadrados"),
    "m²": m("metro quadrado", "metros quadrados"),
    "cm²": m("centímetro quadrado", "centímetros quadrados"),
    "m³": m("metro cúbico", "metros cúbicos"), "cm³": m("centímetro cúbico", "centímetros cúbicos"),
    "ha": m("hectare", "hectares"), "W": m("watt", "watts"), "kW": m("quilowatt", "quilowatts"),
    "MW": m("megawatt", "megawatts"), "GW": m("gigawatt", "gigawatts"),
    "kWh": m("quilowatt-hora", "quilowatts-hora"), "V": m("volt", "volts"), "Hz": m("hertz"),
    "kHz": m("quilohertz"), "MHz": m("megahertz"), "GHz": m("gigahertz"),
    "dB": m("decibel", "decibéis"), "hPa": m("hectopascal", "hectopascais"),
    "kB KB": m("quilobyte", "quilobytes"), "MB": m("megabyte", "megabytes"),
    "GB": m("gigabyte", "gigabytes"), "TB": m("terabyte", "terabytes"),
    "Mbit/s Mbps": m("megabit por segundo", "megabits por segundo"),
    "kcal": f("quilocaloria", "quilocalorias"), "cv": m("cavalo", "cavalos"),
}  # fmt: skip
_PARTS = {
    3: m("terço", "terços"), 4: m("quarto", "quartos"), 5: m("quinto", "quintos"),
    6: m("sexto", "sextos"), 7: m("sétimo", "sétimos"), 8: m("oitavo", "oitavos"),
    9: m("nono", "nonos"), 1000: m("milésimo", "milésimos"),
}  # fmt: skip
_NOT_NOUNS = (
    "de do da dos das a o as os ao à aos às em no na nos nas e ou é são era eram foi está "
    "estão há com por para pelo pela que se não nem mais menos vezes como quando onde entre "
    "sobre sem um uma mas já tem têm cada até desde contra seu sua"
)
_gender = by_ending(
    feminine="a ção çõe são sõe dade gem gen tude ice",
    feminine_words=(
        "mão vez veze noite parte mulher mulhere foto moto gente fonte chave classe carne "
        "rede sede flor flore cor core dor dore luz luze voz voze tarde base fase frase torre "
        "nave árvore ponte"
    ),
    masculine_words=(
        "dia mapa problema programa sistema tema planeta poema idioma clima sofá drama "
        "esquema diploma cometa sintoma artista atleta turista grama quilograma dilema "
        "fantasma aroma papa telegrama coração irmão pão cão mês miligrama cinema chá"
    ),
    others=_NOT_NOUNS,
    plural=True,
)
_LABELS = behind(
    "número n.º nº página páginas capítulo tomo volume artigo nível versão linha porta sala "
    "quarto plataforma ato cena seção secção parte tipo classe grupo fórmula fase dia "
    "pergunta exercício ponto andar canal passo o a"
)


def _day(day: int, region: str, _before: str) -> str | None:
    return "primeiro" if day == 1 and region != "PT" else None


GRAMMAR = Grammar(
    code="pt",
    locales={"PT": "pt_PT", "AO": "pt_PT", "MZ": "pt_PT"},
    variants={
        "PT": {
            "quilômetro": "quilómetro", "centavo": "cêntimo", "canadense": "canadiano",
            "seções": "secções", "seção": "secção", "dividido por": "a dividir por",
            "um mil milhões": "mil milhões",
        },
    },
    rulesets={
        "": "spellout-numbering", "m": "spellout-cardinal-masculine",
        "f": "spellout-cardinal-feminine",
    },
    place=lambda form: f"spellout-ordinal-{'feminine' if form == 'f' else 'masculine'}",
    singular_below_two=True, digits_after_comma=False,
    comma="vírgula", stop="ponto", minus="menos", plus="mais", to="a", by="por", versus="a",
    per=lambda _noun: "por ",
    of="de",
    percent={"%": same("por cento"), "‰": same("por mil")},
    money=_MONEY,
    coins={"cts": _CENT, "¢": _CENT},
    cents=lambda whole, _short, named: f"{whole} e {named}",
    scales={
        "milhão milhões mi Mi": (m("milhão", "milhões"), True),
        "bilhão bilhões bi Bi": (m("bilhão", "bilhões"), True),
        "mil": (same("mil"), False),
    },
    glued_scales={"M": "milhão", "k": "mil"},
    units=_UNITS,
    degrees={
        "°C °_C ºC º_C ℃": m("grau Celsius", "graus Celsius"),
        "°F °_F ºF º_F ℉": m("grau Fahrenheit", "graus Fahrenheit"), "°": m("grau", "graus"),
    },
    months=_MONTHS,
    short_months=r"jan\.|fev\.|mar\.|abr\.|mai\.|jun\.|jul\.|ago\.|set\.|out\.|nov\.|dez\.",
    date=lambda day, month, year: f"{day} de {month}" + (f" de {year}" if year else ""),
    day_words=("dia", "em", "no", "do", "até"),
    day=_day,
    clock=Clock(
        minute=m("minuto", "minutos"),
        hour=f("hora", "horas"), full=lambda _hour: True, before_minutes=" e ",
        seconds=m("segundo", "segundos"), marks=r"hs?|horas?", letter=True, to="às",
    ),
    romans=Romans(
        men=frozenset({
            "Carlos", "Filipe", "Fernando", "Afonso", "Luís", "Henrique", "João", "João Paulo",
            "Paulo", "Pedro", "Pio", "Bento", "Leão", "Gregório", "Guilherme", "Jorge", "Eduardo",
            "Alberto", "Leopoldo", "Frederico", "Alexandre", "Nicolau", "Napoleão", "Ricardo",
            "Manuel", "José", "Miguel", "Sancho", "Dinis", "Ramsés", "Clemente", "Inocêncio",
            "Urbano", "Francisco", "Bonifácio", "Sisto",
        }),
        women=frozenset({"Isabel", "Elizabeth", "Catarina", "Maria", "Joana", "Margarida"}),
        places_up_to=10,
        before="capítulo|Capítulo|tomo|Tomo|livro|Livro|ato|Ato|acto|volume|Volume|parte|Parte|título|Título|artigo"
        "|fase|Fase|tipo|Tipo|anexo|Anexo|cena|séculos",
        centuries="século|Século|séc\\.",
        ahead={
            "[Gg]uerra [Mm]undial|República|Cúpula|edição|Edição|Semana|Olimpíada": "f",
            "Congresso|Concurso|Festival|Concílio|Encontro|Plano|Prêmio|Prémio|Simpósio": "m",
        },
    ),
    fractions=Fractions(
        half="um meio", half_m="meio", half_f="meia", and_half="e meio", and_half_f="e meia",
        and_="e", names=_PARTS, otherwise=lambda words: m(f"{words} avo", f"{words} avos"),
        of="de", over="por", out_of="de",
    ),
    ordinals=(
        (r"NUMBER\.?[ºᵒ](?!\w|[ ]?[CF](?!\w))", "m"),
        (r"NUMBER\.?(?:ª|ᵃ)(?!\w)", "f"),
    ),
    titles={
        "Sr.": "senhor", "Sra.": "senhora", "Srta.": "senhorita", "Srs.": "senhores",
        "Dr.": "doutor", "Dra.": "doutora", "D.": "Dom", "Prof.": "professor",
        "Profa.": "professora", "Prof.ª": "professora", "Eng.": "engenheiro", "Eng.º": "engenheiro",
        "Exmo.": "excelentíssimo", "Av.": "avenida", "Pça.": "praça", "Gen.": "general",
        "Sto.": "santo", "Sta.": "santa",
    },
    counters={
        "n.º": "número", "nº": "número", "N.º": "Número", "Nº": "Número", "n°": "número",
        "№": "número", "pág.": "página", "págs.": "páginas", "p.": "página", "pp.": "páginas",
        "art.": "artigo", "cap.": "capítulo", "vol.": "volume", "fig.": "figura",
        "tel.": "telefone", "Tel.": "telefone",
    },
    phrases={
        "p. ex.": "por exemplo", "aprox.": "aproximadamente", "máx.": "máximo", "mín.": "mínimo",
        "V. Exa.": "Vossa Excelência", "vs.": "contra", "cf.": "confira", "D. Maria": "Dona Maria",
        "D. Isabel": "Dona Isabel", "D. Leonor": "Dona Leonor", "D. Teresa": "Dona Teresa",
        "D. Amélia": "Dona Amélia", "D. Ana": "Dona Ana", "D. Carlota": "Dona Carlota",
        "séc.": "século", "tel.": "telefone", "Tel.": "telefone",
    },
    finals={
        "etc": "etcétera", "a. C": "antes de Cristo", "d. C": "depois de Cristo",
    },
    signs={
        "&": "e", "@": "arroba", "%": "por cento", "‰": "por mil", "§": "parágrafo",
        "§§": "parágrafos", "°": "graus", "=": "igual a", "+": "mais", "±": "mais ou menos",
        "×": "vezes", "÷": "dividido por", "€": "euros", "$": "dólares", "£": "libras",
        "≈": "aproximadamente igual a", "≤": "menor ou igual a", "≥": "maior ou igual a",
        "≠": "diferente de", "→": "", "©": "copyright", "®": "", "™": "",
        "#1": "número", "#a": "hashtag",
    },
    operators={
        "-": "menos", "−": "menos", "–": "menos", "+": "mais", "×": "vezes", "x": "vezes",
        "*": "vezes", "·": "vezes", "÷": "dividido por", ":": "dividido por",
        "/": "dividido por", "=": "é igual a",
    },
    address_signs={
        ".": "ponto", "/": "barra", "-": "traço", "_": "sublinhado", "@": "arroba",
        "?": "ponto de interrogação", "=": "igual", "&": "e", "%": "por cento",
        "#": "cerquilha", ":": "dois-pontos", "~": "til", "+": "mais", ",": "vírgula",
        "v": "versão",
    },
    phones=(
        r"\(0?\d{2}\)[ ]?\d{4,5}[ -]\d{4}",
        r"0\d{2}[ -]\d{4,5}[ -]\d{4}",
        r"0800[ -]\d{3}[ -]\d{4}",
        r"9\d{4}-\d{4}",
        r"9[1236]\d[ ]\d{3}[ ]\d{3}",
        r"2\d{2}[ ]\d{3}[ ]\d{3}",
    ),
    weekdays={
        "seg": "segunda", "ter": "terça", "qua": "quarta", "qui": "quinta", "sex": "sexta",
        "sáb": "sábado", "dom": "domingo",
    },
    around_the_clock={"24/7": "vinte e quatro horas por dia, sete dias por semana"},
    decades="anos",
    gender=_gender,
    labels=_LABELS,
)  # fmt: skip
LANGUAGE = language(GRAMMAR)
