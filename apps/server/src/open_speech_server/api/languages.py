"""Languages as clients name them, and as ``verbose_json`` does: by their English names."""

from __future__ import annotations

from open_speech import main_language

_NAMES = dict(
    line.split(" ", 1)
    for line in """\
af afrikaans|am amharic|ar arabic|as assamese|az azerbaijani|ba bashkir|be belarusian|bg bulgarian
bn bengali|bo tibetan|br breton|bs bosnian|ca catalan|cs czech|cy welsh|da danish|de german|el greek
en english|eo esperanto|es spanish|et estonian|eu basque|fa persian|fi finnish|fo faroese|fr french
ga irish|gl galician|gu gujarati|ha hausa|haw hawaiian|he hebrew|hi hindi|hr croatian
ht haitian creole|hu hungarian|hy armenian|ia interlingua|id indonesian|is icelandic|it italian
ja japanese|jw javanese|ka georgian|kk kazakh|km khmer|kn kannada|ko korean|ky kyrgyz|la latin
lb luxembourgish|ln lingala|lo lao|lt lithuanian|lv latvian|mg malagasy|mi maori|mk macedonian
ml malayalam|mn mongolian|mr marathi|ms malay|mt maltese|my myanmar|ne nepali|nl dutch|nn nynorsk
no norwegian|oc occitan|pa punjabi|pl polish|ps pashto|pt portuguese|ro romanian|ru russian
sa sanskrit|sd sindhi|si sinhala|sk slovak|sl slovenian|sn shona|so somali|sq albanian|sr serbian
su sundanese|sv swedish|sw swahili|ta tamil|te telugu|tg tajik|th thai|tk turkmen|tl tagalog
tr turkish|tt tatar|uk ukrainian|ur urdu|uz uzbek|vi vietnamese|yi yiddish|yo yoruba
yue cantonese|zh chinese""".replace("\n", "|").split("|")
)


def language_name(code: str | None) -> str:
    """The English name of a BCP-47 tag's language, lower case; the tag itself if unknown."""
    if not code:
        return "unknown"
    return _NAMES.get(main_language(code), code)


_CODES = {name: code for code, name in _NAMES.items()}
LETTERS = {
    "a": "en-US", "b": "en-GB", "e": "es", "f": "fr-FR", "h": "hi", "i": "it", "j": "ja",
    "p": "pt-BR", "z": "zh",
}  # fmt: skip
"""What Kokoro-FastAPI's clients send as ``lang_code``."""


def language_tag(said: object) -> object:
    """A BCP-47 tag of what a client calls a language; None for ``auto``, which is to find out.

    Takes names ("English"), tags with an underscore (``en_US``), and Kokoro-FastAPI's letters.
    What is no text is returned as it is, for the field's own checks.
    """
    if not isinstance(said, str):
        return said
    plain = said.strip().replace("_", "-")
    folded = plain.lower()
    if folded in {"", "auto", "detect"}:
        return None
    return LETTERS.get(folded) or _CODES.get(folded) or plain
