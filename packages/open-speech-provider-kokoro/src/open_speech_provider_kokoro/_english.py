"""English, spelt by misaki with spaCy's tagger from a folder; importing this imports both.

The stock pipeline has pip fetch the tagger when it is first used. Here it is a source like the
weights, and only the two components of it are read that misaki enables. spaCy, for its part,
imports torch where it finds it, for 200 MB and more than a second, and uses none of it here.
"""

from __future__ import annotations

import logging
import re
import warnings
from pathlib import Path
from typing import Any

from open_speech.errors import ModelLoadFailed

from ._hidden import hidden
from ._tokens import Token

with hidden("torch", "cupy", "tensorflow", "mxnet"):
    import spacy
    from misaki import en
from misaki import espeak

# With the first pipeline, spaCy imports every plugin that happens to be installed beside it, and
# with some of them torch. None is needed here.
if (_plugins := getattr(spacy.util.registry, "_entry_point_factories", None)) is not None:
    _plugins.entry_points = False

_log = logging.getLogger(__name__)
_USED = frozenset({"tok2vec", "tagger"})
_RUN = re.compile(r"\S+\s*")


class English:
    """Both Englishes; the tagger is shared, the lexicons are not."""

    def __init__(self, tagger: Path | None, model: str) -> None:
        self._tag = _tagger(tagger, model)

    def speller(self, *, british: bool) -> EnglishSpeller:
        """A speller for one of them."""
        return EnglishSpeller(self._tag, british=british)


class EnglishSpeller:
    """From a text to tokens, by lexicon, and by espeak-ng for words that are in none."""

    def __init__(self, tag: Any, *, british: bool) -> None:
        fallback = espeak.EspeakFallback(british=british)
        # Its own constructor would load the tagger by name, and fetch it.
        self._g2p = en.G2P.__new__(en.G2P)
        self._g2p.version, self._g2p.british, self._g2p.unk = None, british, ""
        self._g2p.nlp, self._g2p.fallback = tag, fallback
        self._fallback = fallback
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of how it opens its own files
            self._g2p.lexicon = en.Lexicon(british)

    def __call__(self, text: str) -> list[Token]:
        """Numbers, sums of money and abbreviations included, ``[word](/ipa/)`` obeyed."""
        try:
            _, found = self._g2p(text)
        except Exception:
            # There are texts that it breaks at, such as odd numbers; they are spoken all the same.
            _log.warning("The English front end failed; espeak-ng spells this sentence alone")
            return [self._alone(run) for run in _RUN.findall(text)]
        return [
            Token(token.text, token.phonemes or "", bool(token.whitespace))
            for token in found
            if token.text.strip()
        ]

    def _alone(self, run: str) -> Token:
        word = run.rstrip()
        symbols, _ = self._fallback(en.MToken(text=word, tag="", whitespace=""))
        return Token(word, symbols or "", space=word != run)


def _tagger(folder: Path | None, model: str) -> Any:
    if folder is None:
        _log.warning(
            "%s has no English tagger: words that are spelt alike, and years, are read less well. "
            "Put the files of spacy/en_core_web_sm into a folder 'tagger' beside its weights.",
            model,
        )
        return spacy.blank("en")
    try:
        with warnings.catch_warnings():
            # It was trained with another minor version of spaCy, whose tagger is the same.
            warnings.filterwarnings("ignore", message=r"\[W095\]")
            config = spacy.util.load_config(folder / "config.cfg")
            others = set(config["nlp"]["pipeline"]) - _USED
            return spacy.load(folder, exclude=sorted(others))
    except Exception as error:  # whatever a broken file makes of spaCy
        raise ModelLoadFailed(
            f"The English tagger of the model {model} cannot be loaded: {error}".rstrip(".") + ".",
            model=model,
            hint="Delete the model and download it again.",
        ) from error
