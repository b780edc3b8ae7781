"""How a text is made ready to be spoken."""

from __future__ import annotations

from dataclasses import dataclass, field

from .pronunciations import Pronunciations

__all__ = [
    "NormalizationOptions",
    "TextOptions",
]


@dataclass(frozen=True, kw_only=True)
class NormalizationOptions:
    """What is written out as words, in the languages of ``open_speech.text.lang``.

    What the engine reads rightly by itself (``ModelInfo.reads``) is left to it.
    """

    normalize: bool = True
    """Do any of this; numbers, money, times and abbreviations have no option of their own."""
    unit_normalization: bool = True
    """``10 km/h`` as ten kilometers per hour."""
    url_normalization: bool = True
    """``example.com/a`` as example dot com slash a."""
    email_normalization: bool = True
    """``me@example.com`` as me at example dot com."""
    optional_pluralization_normalization: bool = True
    """``file(s)`` as files."""
    phone_normalization: bool = True
    """``555-123-4567`` digit by digit."""
    replace_remaining_symbols: bool = True
    """``&`` as and, ``=`` as equals; ``*`` and the like are left out."""
    markup_normalization: bool = True
    """Marks of Markdown, tags and entities of HTML are silent, in any language."""
    read_emoji: bool = False
    """Emoji are named, in any language; else they are left out."""


@dataclass(frozen=True, kw_only=True)
class TextOptions:
    """How a text is read, changed and cut up."""

    markup: bool = True
    """Heed ``[pause:1s]`` and ``[word](/ipa/)``."""
    voice_tags: bool = True
    """Heed ``[voice:x]`` and ``[rate:1.5]`` too, where markup is."""
    ssml: bool = False
    """The text is SSML; tags in square brackets are text then."""
    normalization: NormalizationOptions = field(default_factory=NormalizationOptions)
    pronunciations: Pronunciations | None = None
    """How certain words are to be spoken."""
    max_chars: int | None = None
    """The longest piece, where the model does not ask for shorter ones; at least 16."""
    first_max_chars: int | None = 80
    """A longer first sentence is cut at a clause within so many characters, to be heard sooner."""
