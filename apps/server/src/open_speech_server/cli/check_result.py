"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """Works, or will do for some."""
    WRONG = "wrong"
    """Must be fixed."""


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One line of the report."""

    subject: str
    """One word."""
    state: State
    text: str
    """What is the case."""
    fix: str = ""
    """What to do, as a sentence; empty where there is nothing to do."""


def ok(subject: str, text: str) -> CheckResult:
    """All is well."""
    return CheckResult(subject=subject, state=State.OK, text=text)


def warning(subject: str, text: str, fix: str) -> CheckResult:
    """It works all the same."""
    return CheckResult(subject=subject, state=State.WARNING, text=text, fix=fix)


def wrong(subject: str, text: str, fix: str) -> CheckResult:
    """It must be fixed."""
    return CheckResult(subject=subject, state=State.WRONG, text=text, fix=fix)
