"""The suite that every provider runs: does it keep the contract that core builds on?

    from open_speech.testing import TTSConformance
    from open_speech.testing.tone import ToneBackend  # or your own

    class TestTone(TTSConformance):
        backend = ToneBackend

Each check is a test of its own; set a check to ``None`` in the class to leave it out, and say why
beside it. Settings are class attributes; all of them have defaults but ``backend``. Checks that
call the model need its weights: set ``context`` unless they are embedded, and ``audio`` with
``expected_words`` for a listening model. Each call of the model runs on a thread of its own, as
at run time, and fails after ``deadline_s``; a call that never lets other threads run is ended only
by pytest's own ``faulthandler_timeout``.

pytest runs the checks of the last base class first, which is why the catalogue's stand last.
"""

from __future__ import annotations

from ._checks_activity import ActivityChecks
from ._checks_catalogue import CatalogueChecks
from ._checks_hearing import HearingChecks
from ._checks_import import ImportChecks
from ._checks_listening import ListeningChecks
from ._checks_loading import LoadingChecks
from ._checks_speakers import SpeakerChecks
from ._checks_speech import SpeechChecks
from ._checks_turns import TurnChecks

__all__ = [
    "DiarizationConformance",
    "STTConformance",
    "TTSConformance",
    "TurnConformance",
    "VADConformance",
]


class TTSConformance(SpeechChecks, LoadingChecks, ImportChecks, CatalogueChecks):
    """Checks of one speaking backend. Derive a ``Test...`` class from it and set ``backend``."""


class STTConformance(ListeningChecks, HearingChecks, LoadingChecks, ImportChecks, CatalogueChecks):
    """Checks of one listening backend. Derive a ``Test...`` class from it and set ``backend``."""


class VADConformance(ActivityChecks, LoadingChecks, ImportChecks, CatalogueChecks):
    """Checks of one backend for voice activity. Derive a ``Test...`` class and set ``backend``."""


class TurnConformance(TurnChecks, LoadingChecks, ImportChecks, CatalogueChecks):
    """Checks of one backend for the ends of turns. Derive a ``Test...`` class, set ``backend``."""


class DiarizationConformance(SpeakerChecks, LoadingChecks, ImportChecks, CatalogueChecks):
    """Checks of one backend for diarization. Derive a ``Test...`` class and set ``backend``."""
