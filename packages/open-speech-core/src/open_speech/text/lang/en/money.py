"""Sums of money, as English writes and says them."""

from __future__ import annotations

import re

from ..._rules import Reading
from .numbers import DASH, MINUS, SCALE_WORDS, SCALES, describes, number

# Code: one, many, a hundredth, hundredths.
_CURRENCIES = {
    "USD": ("US dollar", "US dollars", "cent", "cents"),
    "CAD": ("Canadian dollar", "Canadian dollars", "cent", "cents"),
    "AUD": ("Australian dollar", "Australian dollars", "cent", "cents"),
    "NZD": ("New Zealand dollar", "New Zealand dollars", "cent", "cents"),
    "HKD": ("Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
    "SGD": ("Singapore dollar", "Singapore dollars", "cent", "cents"),
    "TWD": ("New Taiwan dollar", "New Taiwan dollars", "cent", "cents"),
    "JMD": ("Jamaican dollar", "Jamaican dollars", "cent", "cents"),
    "TTD": ("Trinidad and Tobago dollar", "Trinidad and Tobago dollars", "cent", "cents"),
    "BBD": ("Barbadian dollar", "Barbadian dollars", "cent", "cents"),
    "BSD": ("Bahamian dollar", "Bahamian dollars", "cent", "cents"),
    "BZD": ("Belize dollar", "Belize dollars", "cent", "cents"),
    "FJD": ("Fijian dollar", "Fijian dollars", "cent", "cents"),
    "NAD": ("Namibian dollar", "Namibian dollars", "cent", "cents"),
    "MXN": ("Mexican peso", "Mexican pesos", "centavo", "centavos"),
    "ARS": ("Argentine peso", "Argentine pesos", "centavo", "centavos"),
    "CLP": ("Chilean peso", "Chilean pesos", "", ""),
    "COP": ("Colombian peso", "Colombian pesos", "centavo", "centavos"),
    "PHP": ("Philippine peso", "Philippine pesos", "centavo", "centavos"),
    "BRL": ("Brazilian real", "Brazilian reais", "centavo", "centavos"),
    "GBP": ("pound", "pounds", "penny", "pence"),
    "EGP": ("Egyptian pound", "Egyptian pounds", "piastre", "piastres"),
    "EUR": ("euro", "euros", "cent", "cents"),
    "JPY": ("yen", "yen", "", ""),
    "CNY": ("yuan", "yuan", "fen", "fen"),
    "INR": ("rupee", "rupees", "paisa", "paise"),
    "PKR": ("Pakistani rupee", "Pakistani rupees", "paisa", "paise"),
    "KRW": ("won", "won", "", ""),
    "RUB": ("ruble", "rubles", "kopeck", "kopecks"),
    "UAH": ("hryvnia", "hryvnias", "kopiyka", "kopiykas"),
    "TRY": ("lira", "liras", "kurush", "kurush"),
    "ILS": ("shekel", "shekels", "agora", "agorot"),
    "VND": ("dong", "dong", "", ""),
    "THB": ("baht", "baht", "satang", "satang"),
    "NGN": ("naira", "naira", "kobo", "kobo"),
    "GHS": ("cedi", "cedis", "pesewa", "pesewas"),
    "KZT": ("tenge", "tenge", "tiyn", "tiyn"),
    "CRC": ("colon", "colones", "centimo", "centimos"),
    "PYG": ("guarani", "guaranies", "", ""),
    "CHF": ("Swiss franc", "Swiss francs", "centime", "centimes"),
    "SEK": ("Swedish krona", "Swedish kronor", "ore", "ore"),
    "NOK": ("Norwegian krone", "Norwegian kroner", "ore", "ore"),
    "DKK": ("Danish krone", "Danish kroner", "ore", "ore"),
    "ISK": ("Icelandic krona", "Icelandic kronur", "", ""),
    "PLN": ("zloty", "zlotys", "grosz", "groszy"),
    "CZK": ("Czech koruna", "Czech korunas", "heller", "hellers"),
    "HUF": ("forint", "forints", "", ""),
    "RON": ("Romanian leu", "Romanian lei", "ban", "bani"),
    "BGN": ("Bulgarian lev", "Bulgarian leva", "stotinka", "stotinki"),
    "ZAR": ("rand", "rand", "cent", "cents"),
    "KES": ("Kenyan shilling", "Kenyan shillings", "cent", "cents"),
    "AED": ("dirham", "dirhams", "fils", "fils"),
    "SAR": ("Saudi riyal", "Saudi riyals", "halala", "halalas"),
    "IDR": ("rupiah", "rupiah", "", ""),
    "MYR": ("ringgit", "ringgit", "sen", "sen"),
    "PEN": ("sol", "soles", "centimo", "centimos"),
    "BTC": ("bitcoin", "bitcoins", "", ""),
    "$": ("dollar", "dollars", "cent", "cents"),
    "¢": ("cent", "cents", "", ""),
}
_CODES = {
    **{f"{prefix}$": code for prefix, code in {
        "US": "USD", "U.S.": "USD", "CA": "CAD", "C": "CAD", "CAD": "CAD", "AU": "AUD",
        "A": "AUD", "AUD": "AUD", "NZ": "NZD", "NZD": "NZD", "HK": "HKD", "SG": "SGD",
        "S": "SGD", "NT": "TWD", "TW": "TWD", "J": "JMD", "JA": "JMD", "TT": "TTD", "BDS": "BBD",
        "B": "BSD", "BZ": "BZD", "FJ": "FJD", "N": "NAD", "MX": "MXN", "Mex": "MXN", "AR": "ARS",
        "CL": "CLP", "CO": "COP", "COL": "COP", "R": "BRL", "USD": "USD",
    }.items()},
    "$": "$", "£": "GBP", "€": "EUR", "¥": "JPY", "￥": "JPY", "CN¥": "CNY", "RMB¥": "CNY",
    "JP¥": "JPY", "₹": "INR", "₨": "INR", "Rs.": "INR", "Rs": "INR", "₩": "KRW", "₽": "RUB",
    "₴": "UAH", "₺": "TRY", "₪": "ILS", "₫": "VND", "฿": "THB", "₦": "NGN", "₵": "GHS",
    "₸": "KZT", "₡": "CRC", "₲": "PYG", "₱": "PHP", "₿": "BTC", "E£": "EGP", "zł": "PLN",
    "Kč": "CZK", "Fr.": "CHF", "RM": "MYR", "S/": "PEN", "\uff04": "$", "\uffe1": "GBP",
}  # fmt: skip
_NO_PREFIX = frozenset({"zł", "Kč"})
_WORDS = frozenset({"COP", "PEN", "RON", "TRY"})
"""Codes that are words in capitals."""
_ISO = [code for code in _CURRENCIES if code.isalpha() and code not in _WORDS] + ["RMB"]
_CODES |= {code: code for code in (*_ISO, "$", "¢")} | {"RMB": "CNY"}


def _any_of(names: list[str]) -> str:
    return "|".join(map(re.escape, sorted(names, key=len, reverse=True)))


_SIGN = _any_of([sign for sign in _CODES if sign not in _NO_PREFIX and sign != "¢"])
_SIGN_BEHIND = _any_of([
    sign for sign in _CODES if len(sign) == 1 or sign in _NO_PREFIX
    or sign in _ISO
])  # fmt: skip
_NUMBER = (
    r"(?:\d{1,3}(?:[,.'\u2019\u00a0\u202f]\d{3}){1,6}(?!\d)(?:[.,]\d{1,2}(?!\d))?"
    r"|\d{1,2}(?:,\d{2}){1,6},\d{3}(?!,?\d)(?:\.\d{1,40})?"
    r"|\d{1,40}(?:\.\d{1,40}|,\d{1,2}(?!\d|,\d))?|\.\d{1,40}|,\d{2}(?!\d))(?:[.,][-\u2013](?![\w]))?"
)
_SCALE = (
    rf"(?:[ \u00a0-]?(?P<{{}}>(?:{SCALE_WORDS})s?\b"
    r"|(?:(?<=\d)[kKmMbBtT]|(?<=\d[ \u00a0])m|[mMbBtT][nN]|(?<=\d)[mM]{{2}}|[mM]io)\b(?!-[a-z])))?"
)
_PER = r"(?P<per>/[ ]?(?P<each>[A-Za-z]{1,12})\b(?![/.]\w))?"
_SIGNED = rf"(?P<minus>(?<![\w.])(?:[{MINUS}+\u00b1~\u2248][ ]?)?)"
_CODE_BEHIND = rf"(?:[ \u00a0]?(?P<code>{'|'.join(_ISO)})\b(?![ ]?\d))?"
PRICE = re.compile(
    rf"{_SIGNED}(?<![A-Za-z])(?!(?<=\d[ \u00a0])\D{{1,4}}[ \u00a0])"
    rf"(?P<sign>{_SIGN})[ \u00a0]?(?P<inner>[{MINUS}])?(?P<number>{_NUMBER})"
    rf"{_SCALE.format('scale')}{_CODE_BEHIND}{_PER}"
)
PRICE_RANGE = re.compile(
    rf"(?<![\w.])(?P<sign>{_SIGN})[ \u00a0]?(?P<first>{_NUMBER}){_SCALE.format('scale1')}"
    rf"{DASH}(?:(?P<sign2>{_SIGN})[ \u00a0]?)?(?P<second>{_NUMBER}){_SCALE.format('scale')}"
    rf"(?![\w%]|[-\u2013]\d){_CODE_BEHIND}{_PER}"
)
PRICE_BEHIND = re.compile(
    rf"{_SIGNED}(?<![\w.,$£€])(?P<number>{_NUMBER})[ \u00a0]?{_SCALE.format('scale')}[ \u00a0]?"
    rf"(?P<sign>{_SIGN_BEHIND})(?![\w$£€]){_PER}"
)
PRICE_RANGE_BEHIND = re.compile(
    rf"(?<![\w.,/:-])(?P<first>{_NUMBER})(?:[ \u00a0]?(?P<sign2>{_SIGN_BEHIND}))?{DASH}"
    rf"(?P<second>{_NUMBER}){_SCALE.format('scale')}[ \u00a0]?(?P<sign>{_SIGN_BEHIND})(?!\w){_PER}"
)
_EACH = {
    "h": "hour", "hr": "hour", "hrs": "hour", "d": "day", "wk": "week", "w": "week", "mo": "month",
    "mth": "month", "m": "month", "yr": "year", "y": "year", "min": "minute", "s": "second",
    "sec": "second", "lb": "pound", "lbs": "pound", "kg": "kilogram", "g": "gram", "oz": "ounce",
    "km": "kilometer", "mi": "mile", "ft": "foot", "sqft": "square foot", "l": "liter",
    "gal": "gallon", "ea": "each", "pp": "person", "pc": "piece", "kwh": "kilowatt hour",
    "gb": "gigabyte", "mb": "megabyte", "tb": "terabyte", "pa": "year", "t": "ton",
}  # fmt: skip
_CENTS = 100


def parsed(text: str) -> tuple[str, str]:
    """Return the digits before and after the decimal mark, which may be a stop or a comma."""
    text = re.sub(r"[.,][-\u2013]$", "", text)
    text = re.sub(r"['\u2019\u00a0\u202f]", "", text)
    last = max(text.rfind(","), text.rfind("."))
    if last < 0:
        return text, ""
    mark, digits = text[last], len(text) - last - 1
    both, repeated = "," in text and "." in text, text.count(mark) > 1
    is_decimal = not repeated and (mark == "." or digits < 3)
    if both:
        is_decimal = not repeated
    if mark == "." and not both and repeated:
        is_decimal = False
    whole, part = (text[:last], text[last + 1 :]) if is_decimal else (text, "")
    return re.sub(r"\D", "", whole), part


def sum_of_money(
    text: str, code: str, scale: str | None, reading: Reading, *, describes: bool = False
) -> str:
    """Spell out an amount with its currency, in the singular where it describes something."""
    one, many, small, smalls = _CURRENCIES[code]
    many = one if describes else many
    whole, part = parsed(text)
    if code == "EUR" and not scale and re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", text):
        whole, part = whole + part, ""  # as the euro's own countries write thousands
    if scale:
        return f"{_number(whole, part, reading)} {_scale(scale)} {many}"
    if part and not (len(part) <= 2 and small):
        return f"{_number(whole, part, reading)} {many}"
    cents = part.ljust(2, "0").lstrip("0") if part else ""
    parts = []
    if whole.strip("0") or not cents:
        parts.append(f"{number(whole.lstrip('0') or '0', reading)} {one if whole == '1' else many}")
    if cents:
        parts.append(f"{number(cents, reading)} {small if cents == '1' else smalls}")
    return " and ".join(parts)


def _number(whole: str, part: str, reading: Reading) -> str:
    return reading.number(f"{whole or '0'}.{part}" if part else whole)


def _scale(text: str) -> str:
    return SCALES.get(text.lower(), text.lower().removesuffix("s") if len(text) > 3 else text)


def _code(match: re.Match[str]) -> str:
    groups = match.groupdict()
    code = _CODES[match["sign"]]
    behind = groups.get("code")
    return _CODES[behind] if behind and code in {"$", _CODES[behind]} else code


def _tail(match: re.Match[str]) -> str:
    """Read what follows an amount: another code, ``/month``."""
    groups, tail = match.groupdict(), ""
    if (behind := groups.get("code")) and _code(match) != _CODES[behind]:
        tail = f" {behind}"
    if match["per"]:
        each = _EACH.get(match["each"].lower(), match["each"])
        tail += " each" if each == "each" else f" per {each}"
    return tail


def _minus(match: re.Match[str]) -> str:
    sign = (match["minus"] or match.groupdict().get("inner") or "").strip()
    names = {"": "", "+": "plus ", "\u00b1": "plus or minus ", "~": "about ", "\u2248": "about "}
    return names.get(sign, "minus ")


def say_price(match: re.Match[str], reading: Reading) -> str:
    before = describes(match) and not match["per"]
    said = sum_of_money(match["number"], _code(match), match["scale"], reading, describes=before)
    return f"{_minus(match)}{said}{_tail(match)}"


def say_price_range(match: re.Match[str], reading: Reading) -> str | None:
    """Two amounts; the currency is named once where neither has cents."""
    groups = match.groupdict()
    code = _code(match)
    other = _CODES[groups["sign2"]] if groups.get("sign2") else code
    scale1, scale = groups.get("scale1"), match["scale"]
    last = sum_of_money(match["second"], code, scale, reading) + _tail(match)
    if match["first"].isdecimal() and match["second"].isdecimal() and other == code:
        if scale1 and scale1 != scale:
            return f"{number(match['first'], reading)} {_scale(scale1)} to {last}"
        return f"{number(match['first'], reading)} to {last}"
    if scale and not scale1 and other == code:
        return f"{_number(*parsed(match['first']), reading)} to {last}"
    return f"{sum_of_money(match['first'], other, scale1, reading)} to {last}"
