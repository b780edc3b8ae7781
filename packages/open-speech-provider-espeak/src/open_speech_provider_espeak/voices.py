"""The voices of espeak-ng 1.52, as data: nothing has to be loaded to list them.

A test compares this page with what the library lists. A voice is one language or accent;
``+variant`` behind its id gives it the timbre of another speaker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from open_speech import main_language


@dataclass(frozen=True, kw_only=True)
class EspeakVoice:
    """One language or accent."""

    id: str
    """What requests say."""
    identifier: str
    """What the library says: a file below ``espeak-ng-data/lang``."""
    languages: tuple[str, ...]
    """BCP-47 tags: its own, then those that it can stand in for. Private parts are left off."""
    name: str

    def speaks(self, language: str) -> bool:
        """Whether ``language`` is one of its own, the region left aside."""
        return main_language(language) in map(main_language, self.languages)

    def closeness(self, tag: str) -> int:
        """How well it fits a lower-case tag; less is better."""
        file = self.identifier.rpartition("/")[2]
        names = [name.lower() for name in (self.id, file, *self.languages)]
        return names.index(tag) if tag in names else 99


def best_match(language: str) -> EspeakVoice | None:
    """The voice that fits a BCP-47 tag best, or None if nobody speaks the language."""
    tag = language.lower()
    return min(
        (voice for voice in VOICES.values() if voice.speaks(language)),
        key=lambda voice: (voice.closeness(tag), voice.closeness(main_language(tag))),
        default=None,
    )


VARIANTS: Mapping[str, str] = {
    **{f"m{number}": "male" for number in range(1, 9)},
    **{f"f{number}": "female" for number in range(1, 6)},
}
"""Timbre to gender: the thirteen plain ones of the library's hundred."""

OPENAI_VARIANTS: Mapping[str, str] = {
    "alloy": "m1",
    "ash": "m2",
    "ballad": "m3",
    "cedar": "m4",
    "coral": "f1",
    "echo": "m5",
    "fable": "m6",
    "marin": "f2",
    "nova": "f3",
    "onyx": "m7",
    "sage": "f4",
    "shimmer": "f5",
    "verse": "m8",
}
"""The voice names that OpenAI's clients send, each with a timbre of its own."""

# id, the library's identifier, languages, name
_TABLE = """\
af               gmw/af               af       Afrikaans
am               sem/am               am       Amharic
an               roa/an               an       Aragonese
ar               sem/ar               ar       Arabic
as               inc/as               as       Assamese
az               trk/az               az       Azerbaijani
ba               trk/ba               ba       Bashkir
be               zle/be               be       Belarusian
bg               zls/bg               bg       Bulgarian
bn               inc/bn               bn       Bengali
bpy              inc/bpy              bpy      Bishnupriya Manipuri
bs               zls/bs               bs       Bosnian
ca               roa/ca               ca       Catalan
ca-ba            roa/ca-ba            ca-BA    Catalan (Balearic)
ca-nw            roa/ca-nw            ca-NW    Catalan (North-western)
ca-va            roa/ca-va            ca-VA    Catalan (Valencian)
chr              iro/chr              chr      Cherokee
cmn              sit/cmn              cmn,zh-cmn,zh Chinese (Mandarin, latin as English)
cmn-latn-pinyin  sit/cmn-Latn-pinyin  cmn-Latn-pinyin,zh-cmn,zh Chinese (Mandarin, latin as Pinyin)
cs               zlw/cs               cs       Czech
cv               trk/cv               cv       Chuvash
cy               cel/cy               cy       Welsh
da               gmq/da               da       Danish
de               gmw/de               de       German
el               grk/el               el       Greek
en-029           gmw/en-029           en-029,en English (Caribbean)
en-gb            gmw/en               en-GB,en English (Great Britain)
en-gb-scotland   gmw/en-GB-scotland   en-GB-scotland,en English (Scotland)
en-gb-x-gbclan   gmw/en-GB-x-gbclan   en-GB,en English (Lancaster)
en-gb-x-gbcwmd   gmw/en-GB-x-gbcwmd   en-GB,en English (West Midlands)
en-gb-x-rp       gmw/en-GB-x-rp       en-GB,en English (Received Pronunciation)
en-shaw          gmw/en-Shaw          en-Shaw  English (Shavian alphabet)
en-us            gmw/en-US            en-US,en English (America)
en-us-nyc        gmw/en-US-nyc        en-US-nyc English (America, New York City)
eo               art/eo               eo       Esperanto
es               roa/es               es       Spanish (Spain)
es-419           roa/es-419           es-419,es-MX Spanish (Latin America)
et               urj/et               et       Estonian
eu               eu                   eu       Basque
fa               ira/fa               fa       Persian
fa-latn          ira/fa-Latn          fa-Latn  Persian (Pinglish)
fi               urj/fi               fi       Finnish
fo               gmq/fo               fo       Faroese
fr-be            roa/fr-BE            fr-BE,fr French (Belgium)
fr-ch            roa/fr-CH            fr-CH,fr French (Switzerland)
fr-fr            roa/fr               fr-FR,fr French (France)
ga               cel/ga               ga       Gaelic (Irish)
gd               cel/gd               gd       Gaelic (Scottish)
gn               sai/gn               gn       Guarani
grc              grk/grc              grc      Greek (Ancient)
gu               inc/gu               gu       Gujarati
hak              sit/hak              hak      Hakka Chinese
haw              map/haw              haw      Hawaiian
he               sem/he               he       Hebrew
hi               inc/hi               hi       Hindi
hr               zls/hr               hr,hbs   Croatian
ht               roa/ht               ht       Haitian Creole
hu               urj/hu               hu       Hungarian
hy               ine/hy               hy,hy-arevela Armenian (East Armenia)
hyw              ine/hyw              hyw,hy-arevmda,hy Armenian (West Armenia)
ia               art/ia               ia       Interlingua
id               poz/id               id       Indonesian
io               art/io               io       Ido
is               gmq/is               is       Icelandic
it               roa/it               it       Italian
ja               jpx/ja               ja       Japanese
jbo              art/jbo              jbo      Lojban
ka               ccs/ka               ka       Georgian
kaa              trk/kaa              kaa      Karakalpak
kk               trk/kk               kk       Kazakh
kl               esx/kl               kl       Greenlandic
kn               dra/kn               kn       Kannada
ko               ko                   ko       Korean
kok              inc/kok              kok      Konkani
ku               ira/ku               ku       Kurdish
ky               trk/ky               ky       Kyrgyz
la               itc/la               la       Latin
lb               gmw/lb               lb       Luxembourgish
lfn              art/lfn              lfn      Lingua Franca Nova
lt               bat/lt               lt       Lithuanian
ltg              bat/ltg              ltg      Latgalian
lv               bat/lv               lv       Latvian
mi               poz/mi               mi       Māori
mk               zls/mk               mk       Macedonian
ml               dra/ml               ml       Malayalam
mr               inc/mr               mr       Marathi
ms               poz/ms               ms       Malay
mt               sem/mt               mt       Maltese
mto              miz/mto              mto      Totontepec Mixe
my               sit/my               my       Myanmar (Burmese)
nb               gmq/nb               nb,no    Norwegian Bokmål
nci              azc/nci              nci      Nahuatl (Classical)
ne               inc/ne               ne       Nepali
nl               gmw/nl               nl       Dutch
nog              trk/nog              nog      Nogai
om               cus/om               om       Oromo
or               inc/or               or       Oriya
pa               inc/pa               pa       Punjabi
pap              roa/pap              pap      Papiamento
piqd             art/piqd             tlh      Klingon
pl               zlw/pl               pl       Polish
pt               roa/pt               pt,pt-PT Portuguese (Portugal)
pt-br            roa/pt-BR            pt-BR,pt Portuguese (Brazil)
py               art/py               py       Pyash
qdb              art/qdb              qdb      Lang Belta
qu               qu                   qu       Quechua
quc              myn/quc              quc      K'iche'
qya              art/qya              qya      Quenya
ro               roa/ro               ro       Romanian
ru               zle/ru               ru       Russian
ru-cl            zle/ru-cl            ru-CL    Russian (Classic)
ru-lv            zle/ru-LV            ru-LV    Russian (Latvia)
sd               inc/sd               sd       Sindhi
shn              tai/shn              shn      Shan (Tai Yai)
si               inc/si               si       Sinhala
sjn              art/sjn              sjn      Sindarin
sk               zlw/sk               sk       Slovak
sl               zls/sl               sl       Slovenian
smj              urj/smj              smj      Lule Saami
sq               ine/sq               sq       Albanian
sr               zls/sr               sr       Serbian
sv               gmq/sv               sv       Swedish
sw               bnt/sw               sw       Swahili
ta               dra/ta               ta       Tamil
te               dra/te               te       Telugu
th               tai/th               th       Thai
ti               sem/ti               ti       Tigrinya
tk               trk/tk               tk       Turkmen
tn               bnt/tn               tn       Setswana
tr               trk/tr               tr       Turkish
tt               trk/tt               tt       Tatar
ug               trk/ug               ug       Uyghur
uk               zle/uk               uk       Ukrainian
ur               inc/ur               ur       Urdu
uz               trk/uz               uz       Uzbek
vi               aav/vi               vi       Vietnamese (Northern)
vi-vn-x-central  aav/vi-VN-x-central  vi-VN    Vietnamese (Central)
vi-vn-x-south    aav/vi-VN-x-south    vi-VN    Vietnamese (Southern)
xex              art/xex              xex      xextan-test
yue              sit/yue              yue,zh-yue,zh Chinese (Cantonese)
yue-latn-jyutping sit/yue-Latn-jyutping yue,zh-yue,zh Chinese (Cantonese, latin as Jyutping)
"""


def _voice(line: str) -> EspeakVoice:
    name, identifier, languages, title = line.split(maxsplit=3)
    tags = tuple(languages.split(","))
    return EspeakVoice(id=name, identifier=identifier, languages=tags, name=title)


VOICES: Mapping[str, EspeakVoice] = {voice.id: voice for voice in map(_voice, _TABLE.splitlines())}
"""Every voice by its id."""
