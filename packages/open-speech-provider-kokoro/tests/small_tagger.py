"""A spaCy pipeline in the layout of the published tagger, which knows how one text is tagged."""

from __future__ import annotations

import warnings
from pathlib import Path

WORDS = ("He", "lives", "here", ".", "Their", "lives", "ended", "in", "1999", ".")
TAGS = ("PRP", "VBZ", "RB", ".", "PRP$", "NNS", "VBD", "IN", "CD", ".")


def make(folder: Path) -> Path:
    """Train it and write its files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of plugins, which spaCy imports with the first pipeline
        import spacy
        from spacy.training import Example

        nlp = spacy.blank("en")
        nlp.add_pipe("tok2vec")
        nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2"}})
        nlp.add_pipe("sentencizer")  # stands for the components that are left where they are
        known = {"words": WORDS, "tags": TAGS}
        example = Example.from_dict(nlp.make_doc(" ".join(WORDS)), known)
        nlp.initialize(lambda: [example])
        for _ in range(30):
            nlp.update([example])
    assert tuple(token.tag_ for token in nlp(" ".join(WORDS))) == TAGS
    folder.parent.mkdir(parents=True, exist_ok=True)
    nlp.to_disk(folder)
    return folder
