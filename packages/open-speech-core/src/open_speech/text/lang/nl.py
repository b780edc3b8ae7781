"""Dutch."""

from __future__ import annotations

from .._rules import Language
from ._comma_numbers import NUMBER

LANGUAGE = Language(rules=(NUMBER,))
