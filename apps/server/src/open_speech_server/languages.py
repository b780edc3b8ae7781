"""Names of languages, which ``verbose_json`` gives instead of their codes."""

from __future__ import annotations

from open_speech.languages import main_language

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
