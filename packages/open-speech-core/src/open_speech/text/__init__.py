"""Text on its way to speech, cut into pieces that an engine can say (extra ``[text]``)."""

from .sentences import Sentence, SentenceSplitter, split_sentences

__all__ = ["Sentence", "SentenceSplitter", "split_sentences"]
