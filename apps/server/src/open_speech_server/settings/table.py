"""The settings as data: one row each, for the documentation, the command and error messages."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from .settings import OLD_NAMES, Settings
from .types import Must

PRELOAD_NAMES = {"stt_preload_models": "stt_model", "tts_preload_models": "tts_model"}
"""Old fields whose names are added to those of a new one."""

_PREFIXES = ("os_", "stt_", "tts_", "vad_", "turn_")


@dataclass(frozen=True, kw_only=True)
class SettingRow:
    """One setting."""

    name: str
    """The environment variable."""
    type: str
    """``whole number``, ``number``, ``true or false``, ``text``, ``path``, ``secret``, a choice."""
    default: str
    """As one would write it in the environment; empty when nothing is set."""
    allowed: str
    """What values are accepted, as the end of the sentence "It must be ..."."""
    description: str
    """One sentence."""
    aliases: tuple[str, ...]
    """Old names that still work."""


def settings_table() -> list[SettingRow]:
    """All settings in the order in which they are declared."""
    return [_row(name, field) for name, field in Settings.model_fields.items()]


def explain(
    error: ValidationError, environment: Mapping[str, str], given: Mapping[str, Any]
) -> list[str]:
    """One sentence for each wrong setting: its name, its value unless secret, what is allowed."""
    return [_sentence(item, environment, given) for item in error.errors(include_url=False)]


def notices(environment: Mapping[str, str]) -> list[str]:
    """One line for all old names in use, one for each name that is nearly that of a setting."""
    lines = []
    renamed = {old: new for new, old in OLD_NAMES.items()} | PRELOAD_NAMES
    if used := [name for name in renamed if name in environment]:
        pairs = ", ".join(f"{name.upper()} (now {renamed[name].upper()})" for name in used)
        lines.append(f"Deprecated setting names are in use: {pairs}.")
    known = [*Settings.model_fields, *OLD_NAMES.values()]
    for name in environment:
        if name.startswith(_PREFIXES) and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
            if near:
                meant = near[0].upper()
                lines.append(f"{name.upper()} is not a setting and is ignored; {meant} is one.")
    return lines


def _row(name: str, field: FieldInfo) -> SettingRow:
    aliases = (OLD_NAMES[name].upper(),) if name in OLD_NAMES else ()
    return SettingRow(
        name=name.upper(),
        type=_type(field),
        default=_default(field),
        allowed=_allowed(field),
        description=field.description or "",
        aliases=aliases,
    )


def _plain_type(field: FieldInfo) -> Any:
    """The annotation without None, without what Annotated adds."""
    found = field.annotation
    choices = [arg for arg in typing.get_args(found) if arg is not NoneType]
    if typing.get_origin(found) is not typing.Literal and len(choices) == 1:
        found = choices[0]
    while typing.get_origin(found) is typing.Annotated:
        found = typing.get_args(found)[0]
    return found


def _type(field: FieldInfo) -> str:
    kind = _plain_type(field)
    if typing.get_origin(kind) is typing.Literal:
        return " or ".join(typing.get_args(kind))
    names = {
        bool: "true or false",
        int: "whole number",
        float: "number",
        Path: "path",
        SecretStr: "secret",
    }
    return names.get(kind, "text")


def _default(field: FieldInfo) -> str:
    if field.default in (None, {}):
        return ""
    if isinstance(field.default, bool):
        return str(field.default).lower()
    return str(field.default)


def _allowed(field: FieldInfo) -> str:
    for rule in field.metadata:
        if isinstance(rule, Must):
            return rule.be
    kind = _type(field)
    phrase = {
        "whole number": "a whole number",
        "number": "a number",
        "text": "a text",
        "path": "a path",
        "secret": "one word without control characters",
    }.get(kind, kind)
    limits = [rule for rule in field.metadata if isinstance(rule, Ge | Gt | Le | Lt)]
    for rule in limits:
        match rule:
            case Ge(low):
                phrase += f" from {low}"
            case Gt(low):
                phrase += f" above {low}"
            case Le(high):
                phrase += (
                    f" to {high}" if any(isinstance(r, Ge) for r in limits) else f", at most {high}"
                )
            case Lt(high):
                phrase += f" below {high}"
    return phrase


def _sentence(item: ErrorDetails, environment: Mapping[str, str], given: Mapping[str, Any]) -> str:
    if not item["loc"]:
        return str(item["msg"]).removeprefix("Value error, ")
    name = str(item["loc"][0]).lower()
    fields = {old: new for new, old in OLD_NAMES.items()}
    field = Settings.model_fields.get(fields.get(name, name))
    if field is None:
        return f"{name.upper()} is not a setting."
    # Our own checks may say more than the rule does; nothing else of the message is for people.
    said = str(item["msg"]).removeprefix("Value error, ")
    reason = said if said.startswith("must ") else f"must be {_allowed(field)}"
    used = _used_name(name, environment, given)
    if _type(field) == "secret" or isinstance(field.default, dict):
        return f"{used.upper()} {reason}."
    value = given.get(used, environment.get(used, field.default))
    return f"{used.upper()} is {str(value)[:80]!a}; it {reason}."


def _used_name(name: str, environment: Mapping[str, str], given: Mapping[str, Any]) -> str:
    """The name that the operator wrote: the new one, or the old one where only that is set."""
    new = next((field for field, old in OLD_NAMES.items() if old == name), name)
    old = OLD_NAMES.get(new)
    if old and new not in given and new not in environment and old in environment:
        return old
    return new
