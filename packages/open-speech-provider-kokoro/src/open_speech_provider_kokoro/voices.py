"""The 54 voices, and the languages that the first letter of a name stands for.

Names as the files of ``hexgrad/Kokoro-82M`` are called, letters as in ``LANG_CODES`` of kokoro
0.9.4: the first one is the language, the second one the speaker's gender.
"""

from __future__ import annotations

from dataclasses import dataclass

from open_speech import Voice

DEFAULT = "af_heart"

_NAMES = """
af_heart af_alloy af_aoede af_bella af_jessica af_kore af_nicole af_nova af_river af_sarah af_sky
am_adam am_echo am_eric am_fenrir am_liam am_michael am_onyx am_puck am_santa
bf_alice bf_emma bf_isabella bf_lily bm_daniel bm_fable bm_george bm_lewis
ef_dora em_alex em_santa ff_siwis hf_alpha hf_beta hm_omega hm_psi if_sara im_nicola
jf_alpha jf_gongitsune jf_nezumi jf_tebukuro jm_kumo pf_dora pm_alex pm_santa
zf_xiaobei zf_xiaoni zf_xiaoxiao zf_xiaoyi zm_yunjian zm_yunxi zm_yunxia zm_yunyang
""".split()  # noqa: SIM905 - a list would take a screen


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
    )


VOICES = tuple(_voice(name) for name in _NAMES)
"""What the model speaks with, the default one first."""
