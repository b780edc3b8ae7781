"""The languages that Whisper knows, and the difference between its codes and BCP-47."""

from __future__ import annotations

_NAMES = """
en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur
hr bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si
km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln
ha ba jv su yue
"""

ALL: tuple[str, ...] = tuple(_NAMES.split())
"""BCP-47, in the order of the model's tokens, which is that of the hours of training."""

BEFORE_LARGE_V3: tuple[str, ...] = ALL[:-1]
"""Cantonese came with large-v3."""

_CODES = {"jv": "jw"}
"""Where the model's code is no BCP-47 tag."""
_SAME = {
    "cmn": "zh",
    "fil": "tl",
    "in": "id",
    "iw": "he",
    "ji": "yi",
    "jw": "jv",
    "mo": "ro",
    "nb": "no",
    "sh": "sr",
}
"""Tags that mean a language which the model knows by another name."""


def code(tag: str) -> str | None:
    """The model's code for a BCP-47 tag such as ``pt-BR``; None where it knows no such language."""
    primary, *rest = tag.lower().replace("_", "-").split("-")
    if primary == "zh" and "yue" in rest:
        primary = "yue"
    primary = _SAME.get(primary, primary)
    return _CODES.get(primary, primary) if primary in ALL else None


def tag(code: str) -> str:
    """The BCP-47 tag for one of the model's codes."""
    return next((tag for tag, known in _CODES.items() if known == code), code)
