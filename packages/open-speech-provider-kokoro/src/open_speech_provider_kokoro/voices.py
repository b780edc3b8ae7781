"""The 54 voices, and the languages that the first letter of a name stands for.

Names as the files of ``hexgrad/Kokoro-82M`` are called, letters as in ``LANG_CODES`` of kokoro
0.9.4: the first one is the language, the second one the speaker's gender.
"""

from __future__ import annotations

from dataclasses import dataclass

from open_speech import Voice

DEFAULT = "af_heart"

_MEASURED = """
af_heart +2.8  af_alloy +1.4  af_aoede -2.2  af_bella +3.2  af_jessica +0.6  af_kore -2.3
af_nicole +1.9  af_nova +5.3  af_river +0.0  af_sarah -0.3  af_sky +2.9  am_adam -2.0
am_echo +1.3  am_eric +0.5  am_fenrir -1.9  am_liam +0.7  am_michael +3.6  am_onyx +1.8
am_puck -2.4  am_santa +1.0  bf_alice -0.2  bf_emma -0.5  bf_isabella -3.1  bf_lily +0.3
bm_daniel +1.3  bm_fable +2.1  bm_george +1.4  bm_lewis +2.5  ef_dora +2.9  em_alex +2.2
em_santa +2.3  ff_siwis -1.2  hf_alpha -4.7  hf_beta -3.6  hm_omega -4.6  hm_psi -3.0
if_sara -7.0  im_nicola -1.6  jf_alpha -0.5  jf_gongitsune +0.2  jf_nezumi +0.4  jf_tebukuro +0.6
jm_kumo -0.5  pf_dora +2.7  pm_alex +2.4  pm_santa +2.3  zf_xiaobei -0.2  zf_xiaoni -1.4
zf_xiaoxiao -3.7  zf_xiaoyi -1.1  zm_yunjian +1.3  zm_yunxi -0.3  zm_yunxia +0.0  zm_yunyang +3.0
""".split()  # noqa: SIM905 - a list would take a screen
GAINS_DB = {name: float(gain) for name, gain in zip(_MEASURED[::2], _MEASURED[1::2], strict=True)}
"""Decibels that bring each voice to -23 LUFS, as ``tools/loudness.py`` measured them."""


@dataclass(frozen=True, kw_only=True)
class Language:
    """A language of the model."""

    tag: str
    """BCP-47."""
    name: str
    espeak: str = ""
    """What espeak-ng calls it, where that does the spelling."""


LANGUAGES = {
    "a": Language(tag="en-US", name="American English"),
    "b": Language(tag="en-GB", name="British English"),
    "e": Language(tag="es", name="Spanish", espeak="es"),
    "f": Language(tag="fr", name="French", espeak="fr-fr"),
    "h": Language(tag="hi", name="Hindi", espeak="hi"),
    "i": Language(tag="it", name="Italian", espeak="it"),
    "j": Language(tag="ja", name="Japanese"),
    "p": Language(tag="pt-BR", name="Brazilian Portuguese", espeak="pt-br"),
    "z": Language(tag="zh", name="Mandarin Chinese"),
}
"""By the letter that voices begin with."""

UNSPACED = frozenset("jz")
"""Languages that are written without spaces between words."""

OPENAI_ALIASES = {
    "alloy": "am_adam",
    "ash": "af_nicole",
    "ballad": "bm_fable",
    "cedar": "am_michael",
    "coral": "bf_emma",
    "echo": "af_bella",
    "fable": "af_sarah",
    "marin": "af_heart",
    "nova": "bf_isabella",
    "onyx": "bm_george",
    "sage": "am_michael",
    "shimmer": "af_sky",
    "verse": "am_puck",
}
"""OpenAI's names: nine as Kokoro-FastAPI maps them, four more that it does not know."""


def letter_of(tag: str) -> str | None:
    """The letter of a language by its tag, or of the nearest one; None if there is none."""
    parts = tag.replace("_", "-").casefold().split("-")
    if parts[0] == "en":
        return "b" if {"gb", "au", "ie", "in", "nz", "za", "scotland"} & set(parts[1:]) else "a"
    found = (letter for letter, known in LANGUAGES.items() if known.tag[:2] == parts[0])
    return "z" if parts[0] == "cmn" else next(found, None)


def _voice(name: str) -> Voice:
    language = LANGUAGES[name[0]]
    return Voice(
        id=name,
        name=f"{name[3:].capitalize()}, {language.name}",
        languages=(language.tag,),
        gender="female" if name[1] == "f" else "male",
        gain_db=GAINS_DB[name],
    )


VOICES = tuple(_voice(name) for name in GAINS_DB)
"""What the model speaks with, the default one first."""
