"""Backends that are each broken in one way, each under the suite whose check must notice.

Not a test module: ``test_testing_conformance.py`` runs it. A class made by ``breaks`` is named
after the one check that must fail in it, while all others pass or are skipped.
"""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from open_speech import AlignmentRequest
from open_speech._plugins.backends import (
    DiarizationBackend,
    DiarizationModel,
    LoadContext,
    STTBackend,
    STTModel,
    TTSBackend,
    TTSModel,
    TurnBackend,
    TurnModel,
    VADBackend,
    VADModel,
)
from open_speech._types.audio import Audio, Word
from open_speech._types.listening import (
    DetectionRequest,
    Flushed,
    SpeechActivity,
    TurnEnd,
    TurnRequest,
)
from open_speech._types.models import (
    Capability,
    Kind,
    ModelInfo,
    ModelPattern,
    ModelSource,
    PackagedWeights,
    Voice,
)
from open_speech._types.speakers import (
    DiarizationRequest,
    EmbeddingRequest,
    SpeakerEmbedding,
    SpeakerTurn,
)
from open_speech._types.speech import Phonemes, PhonemesRequest, SpeechRequest
from open_speech._types.transcription import (
    DetectedLanguage,
    Partial,
    Segment,
    Task,
    TokenLogprob,
    TranscriptionEvent,
    TranscriptionRequest,
)
from open_speech.errors import InvalidRequest
from open_speech.testing import (
    DiarizationConformance,
    STTConformance,
    TTSConformance,
    TurnConformance,
    VADConformance,
    sine,
)
from open_speech.testing._checks_activity import ActivityChecks
from open_speech.testing._checks_catalogue import CatalogueChecks
from open_speech.testing._checks_import import ImportChecks
from open_speech.testing._checks_listening import ListeningChecks
from open_speech.testing._checks_speakers import SpeakerChecks
from open_speech.testing._checks_turns import TurnChecks

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SPEAKER = ModelInfo(id="broken/voice", kind=Kind.TTS, voices=(Voice(id="a"), Voice(id="b")))
LISTENER = ModelInfo(id="broken/ear", kind=Kind.STT)
WEIGHTS = ModelSource(repo_id="someone/something", revision=COMMIT)
WITHOUT_IMPORT = dict.fromkeys(name for name in vars(ImportChecks) if name.startswith("test_"))
"""Spares each backend an interpreter of its own: hostile imports have tests of their own."""
WITHOUT_CATALOGUE = dict.fromkeys(
    name for name in vars(CatalogueChecks) if name.startswith("test_")
)
"""For models, whose catalogue is never the broken one."""
SUITES: dict[type[Any], type[Any]] = {
    TTSBackend: TTSConformance,
    STTBackend: STTConformance,
    VADBackend: VADConformance,
    TurnBackend: TurnConformance,
    DiarizationBackend: DiarizationConformance,
}
_numbers = itertools.count()


def tone(request: SpeechRequest, part: int = 0) -> Audio:
    """A third of what a sound model says."""
    seconds = len(request.text) * 0.01 / request.speed
    return sine(seconds, frequency=300.0 * request.pitch + part)


class Voiced(TTSModel):
    """Sound in every respect; the others override one thing."""

    def synthesize(self, request: SpeechRequest) -> Iterator[Audio]:
        for part in range(3):
            yield tone(request, part)


class Eared(STTModel):
    """Sound in every respect; the others override one thing."""

    def transcribe(self, request: TranscriptionRequest) -> Iterator[TranscriptionEvent]:
        if request.audio.samples.any():
            yield Segment(text="one two", start=0.0, end=0.5)
            yield Segment(text="three", start=0.5, end=1.0)


class SpeakingBackend(TTSBackend):
    name = "broken"
    listed: Any = (SPEAKER,)
    made: Callable[[], Any] = Voiced
    strict = True

    def list_available(self) -> list[ModelInfo]:
        return list(self.listed)

    def load(self, model: ModelInfo, context: LoadContext) -> TTSModel:
        if self.strict and not all(any(path.iterdir()) for path in context.paths.values()):
            raise FileNotFoundError("no weights")
        voiced: TTSModel = type(self).made()
        return voiced


class ListeningBackend(STTBackend):
    name = "broken"
    made: Callable[[], Any] = Eared
    listed: Any = (LISTENER,)

    def list_available(self) -> list[ModelInfo]:
        return list(self.listed)

    def load(self, model: ModelInfo, context: LoadContext) -> STTModel:
        eared: STTModel = type(self).made()
        return eared


def breaks(
    check: str, backend: type[Any] = SpeakingBackend, *, settings: Any = None, **fields: Any
) -> None:
    """Make a suite over the backend with these class attributes; the check must fail in it."""
    broken = type("Broken", (backend,), fields)
    base = next(suite for kind, suite in SUITES.items() if issubclass(backend, kind))
    name = f"Test{next(_numbers)}__{check}"
    members = {"backend": broken, "__module__": __name__, **WITHOUT_IMPORT, **(settings or {})}
    globals()[name] = type(name, (base,), members)


def speaks(
    check: str,
    synthesize: Callable[[Any, SpeechRequest], Any],
    *capabilities: Capability,
    concurrency: int = 1,
    speeds: tuple[float, float] = (1.0, 1.0),
    **settings: Any,
) -> None:
    """The check must fail for a model with this ``synthesize``."""
    able = frozenset(capabilities)
    info = replace(SPEAKER, capabilities=able, concurrency=concurrency, speeds=speeds)
    model = type("BrokenModel", (Voiced,), {"synthesize": synthesize})
    breaks(check, made=model, listed=[info], settings={**WITHOUT_CATALOGUE, **settings})


def spells(told: Callable[[PhonemesRequest], Any]) -> None:
    """The check must fail for a model that tells these phonemes."""
    info = replace(SPEAKER, capabilities=frozenset({Capability.PHONEMIZATION}))
    model = type("BrokenModel", (Voiced,), {"phonemize": lambda _, asked: iter([told(asked)])})
    breaks("test_phonemes_are_told", made=model, listed=[info], settings=WITHOUT_CATALOGUE)


def hears(
    check: str,
    transcribe: Callable[[Any, TranscriptionRequest], Any],
    *capabilities: Capability,
    align: Callable[[Any, AlignmentRequest], Any] = STTModel.align,
    **settings: Any,
) -> None:
    """The check must fail for a model with these methods."""
    info = replace(LISTENER, capabilities=frozenset(capabilities))
    model = type("BrokenModel", (Eared,), {"transcribe": transcribe, "align": align})
    settings = {**WITHOUT_CATALOGUE, **settings}
    breaks(check, ListeningBackend, made=model, listed=[info], settings=settings)


def lists(check: str, *, settings: Any = None, **changes: Any) -> None:
    """The check must fail for a catalogue of one model with these fields."""
    breaks(check, listed=[replace(SPEAKER, **changes)], settings=settings)


def raising(error: Exception) -> Any:
    """A function of anything that raises."""

    def act(*_: Any) -> Any:
        raise error

    return act


class TestSoundSpeaker(TTSConformance):
    backend = SpeakingBackend
    streams = True


class TestSoundListener(STTConformance):
    backend = ListeningBackend
    expected_words = ("ONE", "three")


# The backend and its catalogue.


class Unfinished(SpeakingBackend):
    load = TTSBackend.load


breaks("test_backend_can_be_made", Unfinished)
breaks("test_backend_has_a_valid_name", name="Not A Name")
breaks("test_backend_is_of_its_kind", kind=Kind.STT)
breaks("test_backend_is_written_for_this_core", api_version=99)
breaks("test_catalogue_is_a_list", list_available=lambda self: (SPEAKER,))
breaks("test_catalogue_is_a_list", list_available=raising(OSError("no catalogue")))
breaks("test_backend_serves_something", listed=[])
breaks(
    "test_catalogue_is_stable",
    list_available=lambda self: [replace(SPEAKER, description=str(next(_numbers)))],
)
lists("test_ids_are_valid", id="broken/../voice")
lists("test_ids_are_valid", id="broken:voice")
breaks("test_ids_are_unique", listed=[SPEAKER, SPEAKER])
breaks("test_ids_are_unique", listed=[SPEAKER, replace(SPEAKER, id="b", aliases=(SPEAKER.id,))])
lists("test_models_are_of_the_kind", kind=Kind.STT, voices=())
lists("test_licenses_to_accept_are_named", must_accept_license=True)
lists("test_capabilities_are_of_the_kind", capabilities=frozenset({Capability.TRANSLATION}))
lists("test_data_is_plain", size_bytes=np.int64(5))
lists("test_data_is_plain", aliases=["voice"])
lists("test_numbers_are_sane", concurrency=0)
lists("test_numbers_are_sane", sample_rate=0)
lists("test_numbers_are_sane", speeds=(1.2, 1.4))
lists("test_numbers_are_sane", gap_s=-0.1)
lists("test_numbers_are_sane", voices=(Voice(id="a", gain_db=99.0),))
lists("test_kinds_read_are_by_language", reads={"en-US": frozenset()})
lists(
    "test_packages_are_pinned",
    sources=(replace(WEIGHTS, packaged=PackagedWeights(requirements=("somewhere>=1",), files=())),),
)
lists("test_languages_are_tags", languages=("English",))
lists("test_devices_are_named", devices=())
lists("test_devices_are_named", devices=("cuda:0",))
lists("test_voices_are_unique", voices=(Voice(id="a"), Voice(id="a")))
lists("test_voices_are_unique", voices=(Voice(id="default"),))
lists("test_default_voice_exists", default_voice="nobody")
lists("test_voice_aliases_resolve", voice_aliases={"alloy": "nobody"})
lists("test_sources_are_valid", sources=(replace(WEIGHTS, repo_id="https://example.org/x"),))
lists("test_sources_are_valid", sources=(WEIGHTS, WEIGHTS))
lists("test_sources_are_valid", sources=(replace(WEIGHTS, files=("../../etc/passwd",)),))
lists("test_sources_are_pinned", sources=(replace(WEIGHTS, revision="main"),))
breaks("test_patterns_are_valid", patterns=(ModelPattern(glob="*", template=SPEAKER),))
breaks(
    "test_patterns_are_valid",
    patterns=(ModelPattern(glob="x/*", template=replace(SPEAKER, sources=(WEIGHTS,))),),
)
breaks(
    "test_patterns_are_valid",
    patterns=(
        ModelPattern(
            glob="x/*",
            fields="x/{who}",
            template=replace(SPEAKER, sources=(replace(WEIGHTS, repo_id="x/{whom}"),)),
        ),
    ),
)
breaks(
    "test_patterns_are_valid",
    patterns=(ModelPattern(glob="x/*", fields="x/{a}{b}", template=SPEAKER),),
)

# Loading.


class ClosesOnce(Voiced):
    closed = False

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("double free")
        self.closed = True


breaks("test_loads", load=raising(RuntimeError("no")))
breaks("test_loads", load=lambda *_: "a model")
breaks("test_loads", load=lambda *_: threading.Event().wait(3600), settings={"deadline_s": 0.5})
breaks("test_closes_twice", made=ClosesOnce)
breaks(
    "test_loaded_model_knows_itself",
    made=type("M", (Voiced,), {"info": property(lambda _: replace(SPEAKER, id="broken/other"))}),
)
breaks(
    "test_device_memory_is_a_number",
    made=type("M", (Voiced,), {"device_memory_bytes": lambda _: -1}),
)
breaks(
    "test_device_memory_is_a_number",
    made=type("M", (Voiced,), {"device_memory_bytes": lambda _: 1.5}),
)
breaks(
    "test_inspect_knows_what_is_none_of_its_own",
    inspect=lambda *_: SPEAKER,
)
breaks("test_inspect_knows_what_is_none_of_its_own", inspect=raising(OSError("unreadable")))
breaks("test_fails_without_weights", listed=[replace(SPEAKER, sources=(WEIGHTS,))], strict=False)

# Speaking.


def samples(array: Any, rate: Any = 16_000) -> Callable[[Any, Any], Any]:
    return lambda *_: (part for part in [Audio(samples=array, sample_rate=rate)])


def endless(*_: Any) -> Iterator[Audio]:
    while True:
        yield sine(1.0)


def breaks_for(broken: Callable[[SpeechRequest], Any]) -> Callable[[Any, SpeechRequest], Any]:
    """Raise for some requests."""

    def synthesize(self: Any, request: SpeechRequest) -> Iterator[Audio]:
        if broken(request):
            raise ValueError("the engine does not take that")
        yield from Voiced.synthesize(self, request)

    return synthesize


def ignores(field: str, value: Any) -> Callable[[Any, SpeechRequest], Any]:
    """Speak as if the field had the value."""

    def synthesize(self: Any, request: SpeechRequest) -> Iterator[Audio]:
        yield from Voiced.synthesize(self, replace(request, **{field: value}))

    return synthesize


def dies_later(*_: Any) -> Iterator[Audio]:
    yield sine(0.1)
    raise RuntimeError("half way")


speaks("test_speaks", raising(RuntimeError("no")))
speaks("test_speaks", dies_later)
speaks("test_speaks", lambda *_: iter([]))
speaks("test_speaks", lambda *_: None)
speaks("test_speaks", lambda *_: threading.Event().wait(3600), deadline_s=0.5)
speaks("test_speech_ends", endless)
speaks("test_speech_is_audio", lambda *_: (part for part in [np.zeros(5, np.float32)]))
speaks("test_samples_are_mono_float32", samples(np.full(900, 1, np.int16)))
speaks("test_samples_are_mono_float32", samples(np.full(900, 0.1)))
speaks("test_samples_are_mono_float32", samples(np.full((2, 900), 0.1, np.float32)))
speaks("test_samples_are_mono_float32", samples([0.1, 0.2]))
speaks("test_samples_are_finite", samples(np.full(900, np.nan, np.float32)))
speaks("test_samples_are_finite", samples(np.array([0.1, np.inf], np.float32)))
speaks("test_samples_are_in_range", samples(np.full(900, 20_000, np.float32)))
speaks("test_samples_are_in_range", samples(np.full(900, -1.5, np.float32)))
speaks("test_sample_rate_is_sane", samples(np.full(900, 0.1, np.float32), 0))
speaks("test_sample_rate_is_sane", samples(np.full(900, 0.1, np.float32), 16000.0))
speaks("test_sample_rate_is_sane", lambda *_: (sine(sample_rate=r) for r in (16_000, 24_000)))
speaks("test_speech_is_not_empty", samples(np.zeros(0, np.float32)))
speaks("test_speech_is_not_silent", samples(np.zeros(900, np.float32)))
speaks("test_speech_comes_in_stretches", lambda _, r: (tone(r) for _ in range(1)), streams=True)
speaks("test_stopping_early_leaves_it_usable", lambda _, r: iter([tone(r), tone(r)]))


def keeps_the_rest(self: Any, request: SpeechRequest) -> Iterator[Audio]:
    """Only another text meets what was left over, so that stopping alone goes unnoticed."""
    left = self.__dict__.setdefault("left", {})
    for text in [text for text in left if text != request.text]:
        yield from left.pop(text)
    left[request.text] = [tone(request, part) for part in range(3)]
    while left.get(request.text):
        yield left[request.text].pop(0)
    left.pop(request.text, None)


def shares_the_request(self: Any, request: SpeechRequest) -> Iterator[Audio]:
    self.request = request
    for part in range(3):
        yield tone(self.request, part)


speaks("test_requests_do_not_mix", keeps_the_rest)
speaks("test_requests_do_not_mix", shares_the_request, concurrency=2)
speaks("test_voices_speak", breaks_for(lambda request: request.voice == "b"))
speaks("test_text_without_words_is_accepted", breaks_for(lambda r: not r.text.strip(".?!")))
speaks("test_speed_changes_the_pace", ignores("speed", 1.0), speeds=(0.7, 1.6))
speaks("test_pitch_changes_the_sound", ignores("pitch", 1.0), Capability.PITCH)
speaks(
    "test_seed_repeats_the_sound",
    lambda _, r: (tone(replace(r, pitch=1.0 + random.random() / 10), part) for part in range(3)),
    Capability.SEED,
)


def words(*times: tuple[float, float]) -> Callable[[Any, SpeechRequest], Any]:
    given = tuple(Word(text="w", start=start, end=end) for start, end in times)
    return lambda _, r: (replace(tone(r, part), words=given) for part in range(3))


speaks("test_words_have_times", words(), Capability.WORD_TIMESTAMPS)
speaks("test_words_have_times", words((0.0, 9.0)), Capability.WORD_TIMESTAMPS)
speaks("test_words_have_times", words((0.2, 0.3), (0.0, 0.1)), Capability.WORD_TIMESTAMPS)
speaks("test_voice_clone_speaks", breaks_for(lambda r: r.reference), Capability.VOICE_CLONE)
speaks("test_instructions_are_taken", breaks_for(lambda r: r.instructions), Capability.INSTRUCTIONS)
speaks(
    "test_voice_blend_speaks",
    breaks_for(lambda request: "+" in request.voice),
    Capability.VOICE_BLEND,
    blend="a+b",
)
speaks(
    "test_phonemes_are_taken",
    breaks_for(lambda request: "[" in request.text),
    Capability.PHONEMES,
    phoneme_text="[hello](/helO/)",
)
spells(lambda _: Phonemes(text=""))
spells(lambda _: Phonemes(text="a"))
spells(lambda request: request.text)
spells(lambda _: Phonemes(text="a" * 10_000))

# Listening.


def events(*given: Any) -> Callable[[Any, Any], Any]:
    return lambda *_: (event for event in given)


def refuses(broken: Callable[[TranscriptionRequest], Any]) -> Callable[[Any, Any], Any]:
    """Raise for some requests."""

    def transcribe(self: Any, request: TranscriptionRequest) -> Iterator[TranscriptionEvent]:
        if broken(request):
            raise ValueError("the engine does not take that")
        yield from Eared.transcribe(self, request)

    return transcribe


def also(*given: Any) -> Callable[[Any, Any], Any]:
    """Yield something more, before what is right."""

    def transcribe(self: Any, request: TranscriptionRequest) -> Iterator[Any]:
        yield from given
        yield from Eared.transcribe(self, request)

    return transcribe


def segment(start: float, end: float, **fields: Any) -> Segment:
    return Segment(**{"text": "one", "start": start, "end": end, **fields})


def babbles(*_: Any) -> Iterator[Segment]:
    while True:
        yield segment(0.0, 0.1)


def keeps_the_text(self: Any, request: TranscriptionRequest) -> Iterator[TranscriptionEvent]:
    """Only silence meets what was left over, so that stopping alone goes unnoticed."""
    left = self.__dict__.setdefault("left", [])
    if not request.audio.samples.any():
        yield from left
        left.clear()
        return
    left[:] = list(Eared.transcribe(self, request))
    while left:
        yield left.pop(0)


def listening(**fields: Any) -> Callable[[Any, Any], Any]:
    """One segment with these fields."""
    return events(segment(0.0, 1.0, **fields))


hears("test_understands", raising(RuntimeError("no")))
hears("test_understands", lambda *_: None)
hears("test_understanding_ends", babbles)
hears("test_results_are_events", events("one two"))
hears("test_texts_are_text", listening(text=None))
hears("test_texts_are_text", listening(text="\ud800"))
hears("test_language_comes_first", also(*[DetectedLanguage(language="en")] * 2))
hears("test_language_comes_first", events(segment(0, 1), DetectedLanguage(language="en")))
hears("test_no_partials_unasked", also(Partial(text="o")))
hears("test_segments_are_in_order", events(segment(0.5, 1.0), segment(0.0, 0.5)))
hears("test_segments_run_forward", events(segment(1.0, 0.5)))
hears("test_times_are_within_the_audio", events(segment(-1.0, 0.5)))
hears("test_times_are_within_the_audio", events(segment(0.0, 5.0)))
hears("test_times_are_within_the_audio", events(segment(0.0, float("nan"))))
hears("test_hears_the_words", Eared.transcribe, expected_words=("four",))
hears(
    "test_silence_is_accepted",
    refuses(lambda r: r.audio.seconds >= 1.0 and not r.audio.samples.any()),
    other_audio=sine(1.0),
)
hears("test_short_audio_is_accepted", refuses(lambda r: not len(r.audio.samples)))
hears("test_short_audio_is_accepted", refuses(lambda r: len(r.audio.samples) == 1))
hears("test_stopping_early_leaves_it_usable", lambda *_: iter([segment(0.0, 1.0)]))
hears("test_requests_do_not_mix", keeps_the_text)
_TIMES = Capability.WORD_TIMESTAMPS
_OUTSIDE = (Word(text="one", start=0.0, end=9.0),)
_REVERSED = (Word(text="two", start=0.6, end=0.7), Word(text="one", start=0.1, end=0.2))
hears("test_words_have_times", Eared.transcribe, _TIMES)
hears("test_words_have_times", listening(words=_OUTSIDE), _TIMES)
hears("test_words_have_times", listening(words=_REVERSED), _TIMES)
hears("test_language_is_detected", Eared.transcribe, Capability.LANGUAGE_DETECTION)
hears(
    "test_only_expected_languages_are_detected",
    also(DetectedLanguage(language="de")),
    Capability.LANGUAGE_DETECTION,
)
hears("test_partials_come_when_asked", Eared.transcribe, Capability.PARTIALS)
hears("test_logprobs_come_when_asked", Eared.transcribe, Capability.LOGPROBS)
hears(
    "test_logprobs_come_when_asked",
    listening(logprobs=(TokenLogprob(token="one", logprob=0.9),)),
    Capability.LOGPROBS,
)
hears("test_voice_activity_skips_silence", listening(), Capability.VOICE_ACTIVITY)
hears(
    "test_translation_is_taken",
    refuses(lambda r: r.task is Task.TRANSLATE),
    Capability.TRANSLATION,
)
hears("test_prompt_is_taken", refuses(lambda r: r.prompt), Capability.PROMPT)
hears("test_keywords_are_taken", refuses(lambda r: r.keywords), Capability.KEYWORDS)
hears("test_temperature_is_taken", refuses(lambda r: r.temperature), Capability.TEMPERATURE)
hears("test_grammar_is_taken", refuses(lambda r: r.grammar), Capability.GRAMMAR, grammar="one")


def aligns(
    *words: str, early: float = 0.0, before: int = 0, asks_for_words: bool = True
) -> Callable[[Any, Any], Any]:
    """Give the words the times of the sound, or of what lies seconds before it."""

    def align(self: Any, request: AlignmentRequest) -> Iterator[TranscriptionEvent]:
        if asks_for_words and not request.text.split():
            raise InvalidRequest("There is no word.")
        loud = float(np.flatnonzero(request.audio.samples)[0]) / request.audio.sample_rate
        start = max(loud - early, 0.0)
        timed = [Word(text=w, start=start + i / 10, end=start + 1) for i, w in enumerate(words)]
        yield from [segment(start, start + 1, words=tuple(timed))] * (before + 1)

    return align


def aligning(**faults: Any) -> None:
    words = faults.pop("words", ("One,", "two"))
    hears(
        "test_known_text_is_aligned",
        Eared.transcribe,
        Capability.ALIGNMENT,
        known_text="One, two",
        align=aligns(*words, **faults),
    )


hears(
    "test_alignment_needs_words",
    Eared.transcribe,
    Capability.ALIGNMENT,
    align=aligns(asks_for_words=False),
)


aligning(early=3.0)
aligning(before=1)
aligning(words=("one", "two"))
aligning(words=("One,",))


# Models that hear live.

DETECTOR = ModelInfo(id="broken/detector", kind=Kind.VAD)
JUDGE = ModelInfo(id="broken/judge", kind=Kind.TURN)
LIVE = replace(LISTENER, capabilities=frozenset({Capability.LISTENING}))
FRAME = 320


def judged(sound: Iterator[Audio], *, loud: float = 1.0, quiet: float = 0.0) -> Iterator[Any]:
    """What a sound detector says: loud frames are speech."""
    rest, count = np.zeros(0, np.float32), 0
    for audio in sound:
        rest = np.concatenate([rest, audio.samples])
        values = []
        while len(rest) >= FRAME:
            values.append(loud if np.abs(rest[:FRAME]).max() > 0.01 else quiet)
            rest = rest[FRAME:]
        if values:
            yield SpeechActivity(start=count * 0.02, frame_s=0.02, probabilities=tuple(values))
        count += len(values)


class Detecting(VADModel):
    """Sound in every respect; the others override one thing."""

    def detect(self, request: DetectionRequest, sound: Iterator[Audio]) -> Iterator[Any]:
        yield from judged(sound)


class Judging(TurnModel):
    """Sound in every respect; the others override one thing."""

    def predict_turn_end(self, request: TurnRequest) -> Iterator[Any]:
        yield TurnEnd(probability=1.0)


class DetectingBackend(VADBackend):
    name = "broken"
    made: Callable[[], Any] = Detecting

    def list_available(self) -> list[ModelInfo]:
        return [DETECTOR]

    def load(self, model: ModelInfo, context: LoadContext) -> VADModel:
        made: VADModel = type(self).made()
        return made


class JudgingBackend(TurnBackend):
    name = "broken"
    made: Callable[[], Any] = Judging

    def list_available(self) -> list[ModelInfo]:
        return [JUDGE]

    def load(self, model: ModelInfo, context: LoadContext) -> TurnModel:
        made: TurnModel = type(self).made()
        return made


class TestSoundDetector(VADConformance):
    backend = DetectingBackend
    vars().update(WITHOUT_IMPORT)


class TestSoundJudge(TurnConformance):
    backend = JudgingBackend
    vars().update(WITHOUT_IMPORT)


def detects(check: str, detect: Callable[..., Any], **settings: Any) -> None:
    """The check must fail for a model with this ``detect``."""
    model = type("BrokenModel", (Detecting,), {"detect": detect})
    others = {name: None for name in vars(ActivityChecks) if name.startswith("test_")}
    others.pop(check)
    settings = {**WITHOUT_CATALOGUE, **others, **settings}
    breaks(check, DetectingBackend, made=model, settings=settings)


def judges(check: str, predict: Callable[..., Any], **settings: Any) -> None:
    """The check must fail for a model with this ``predict_turn_end``."""
    model = type("BrokenModel", (Judging,), {"predict_turn_end": predict})
    others = {name: None for name in vars(TurnChecks) if name.startswith("test_")}
    others.pop(check)
    settings = {**WITHOUT_CATALOGUE, **others, **settings}
    breaks(check, JudgingBackend, made=model, settings=settings)


def listens(check: str, listen: Callable[..., Any], **settings: Any) -> None:
    """The check must fail for a model with this ``listen``."""
    model = type("BrokenModel", (Eared,), {"listen": listen})
    others = {name: None for name in vars(ListeningChecks) if name.startswith("test_")}
    others.pop(check)
    settings = {**WITHOUT_CATALOGUE, **others, **settings}
    breaks(check, ListeningBackend, made=model, listed=[LIVE], settings=settings)


def _half(_self: Any, _request: Any, sound: Iterator[Audio]) -> Iterator[Any]:
    parts = list(judged(sound))
    for activity in parts:
        values = activity.probabilities
        yield replace(activity, probabilities=values[: len(values) // 3])


def _by_chunk(_self: Any, _request: Any, sound: Iterator[Audio]) -> Iterator[Any]:
    for index, activity in enumerate(judged(sound)):
        faded = tuple(value * (0.9 if index else 1.0) for value in activity.probabilities)
        yield replace(activity, probabilities=faded)


_HEARD: list[float] = []


def _remembers(_self: Any, _request: Any, sound: Iterator[Audio]) -> Iterator[Any]:
    """Keeps on the model what belongs to one sound: each call says something else."""
    _HEARD.append(0.0)
    factor = 1.0 - 0.1 * (len(_HEARD) % 3)
    yield from judged(sound, loud=factor)


class _Unstoppable:
    def __init__(self, found: Iterator[Any]) -> None:
        self._found = found

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return next(self._found)


def _cannot_stop(_self: Any, _request: Any, sound: Iterator[Audio]) -> Any:
    return _Unstoppable(judged(sound))


detects("test_detects", lambda *_: iter(()))
detects("test_every_frame_is_judged", _half)
detects("test_chunks_make_no_difference", _by_chunk)
detects("test_silence_is_no_speech", lambda _s, _r, sound: judged(sound, quiet=1.0))
detects("test_speech_is_told_from_silence", lambda _s, _r, sound: judged(sound, loud=0.0),
        audio=sine(1.0))  # fmt: skip
detects("test_sounds_do_not_mix", _remembers)
detects("test_stopping_early_leaves_it_usable", _cannot_stop)

DIARIZER = ModelInfo(
    id="broken/speakers",
    kind=Kind.DIARIZATION,
    capabilities=frozenset({Capability.EMBEDDING}),
)


def loud_turns(sound: Iterator[Audio], *, speaker: int = 0, at_least: float = 0.01) -> list[Any]:
    """One turn for all that is loud."""
    whole = np.concatenate([np.zeros(0, np.float32), *(each.samples for each in sound)])
    loud = np.flatnonzero(np.abs(whole) >= at_least)
    if not len(loud):
        return []
    start, end = loud[0] / 16_000, (loud[-1] + 1) / 16_000
    return [SpeakerTurn(start=float(start), end=float(end), speaker=speaker)]


class Telling(DiarizationModel):
    """Sound in every respect; the others override one thing."""

    def diarize(self, request: DiarizationRequest, sound: Iterator[Audio]) -> Iterator[Any]:
        yield from loud_turns(sound)

    def embed(self, request: EmbeddingRequest) -> Iterator[Any]:
        """Told by loudness: what peaks below one half is one voice, the rest another."""
        quiet = float(np.abs(request.audio.samples).max()) < 0.5
        yield SpeakerEmbedding(vector=(1.0, 0.0) if quiet else (0.0, 1.0))


class TellingBackend(DiarizationBackend):
    name = "broken"
    made: Callable[[], Any] = Telling

    def list_available(self) -> list[ModelInfo]:
        return [DIARIZER]

    def load(self, model: ModelInfo, context: LoadContext) -> DiarizationModel:
        made: DiarizationModel = type(self).made()
        return made


VOICES = tuple(
    (sine(1.0, amplitude=amplitude), sine(2.0, amplitude=amplitude)) for amplitude in (0.2, 0.9)
)


class TestSoundDiarizer(DiarizationConformance):
    backend = TellingBackend
    voices = VOICES
    vars().update(WITHOUT_IMPORT)


def tells(check: str, method: str, broken: Callable[..., Any], **settings: Any) -> None:
    """The check must fail for a model with this ``diarize`` or ``embed``."""
    model = type("BrokenModel", (Telling,), {method: broken})
    others = {name: None for name in vars(SpeakerChecks) if name.startswith("test_")}
    others.pop(check)
    breaks(check, TellingBackend, made=model, settings={**WITHOUT_CATALOGUE, **others, **settings})


def _turn_per_chunk(_self: Any, _request: Any, sound: Iterator[Audio]) -> Iterator[Any]:
    at = 0.0
    for audio in sound:
        for turn in loud_turns(iter([audio])):
            yield replace(turn, start=at + turn.start, end=at + turn.end)
        at += audio.seconds


def _twice(_self: Any, _request: Any, sound: Iterator[Audio]) -> Iterator[Any]:
    for turn in loud_turns(sound):
        yield turn
        yield replace(turn, speaker=1)


_RECORDINGS: list[int] = []


def _counts(_self: Any, _request: Any, sound: Iterator[Audio]) -> Iterator[Any]:
    """Keeps on the model what belongs to one recording: each has other speakers."""
    _RECORDINGS.append(0)
    yield from loud_turns(sound, speaker=len(_RECORDINGS))


def _needs_sound(_self: Any, _request: Any, sound: Iterator[Audio]) -> Iterator[Any]:
    first, *_ = sound
    yield from loud_turns(iter([first]))


def _goes_on(_self: Any, _request: Any, sound: Iterator[Audio]) -> Any:
    return _Unstoppable(_twice(_self, _request, sound))


tells("test_diarizes", "diarize", lambda _s, _r, sound: loud_turns(sound),
      audio=sine(1.0), speakers=2)  # fmt: skip
tells(
    "test_silence_has_no_speakers",
    "diarize",
    lambda _s, _r, sound: loud_turns(sound, at_least=0.0),
)
tells("test_any_length_is_accepted", "diarize", _needs_sound)
tells("test_chunks_make_no_difference", "diarize", _turn_per_chunk)
tells("test_no_more_speakers_than_asked", "diarize", _twice)
tells("test_recordings_do_not_mix", "diarize", _counts)
tells("test_stopping_early_leaves_it_usable", "diarize", _goes_on)
_VECTORS = itertools.cycle([(1.0, 0.0), (0.0, 1.0)])
tells("test_embeds", "embed", lambda *_: iter([SpeakerEmbedding(vector=next(_VECTORS))]))
tells(
    "test_a_voice_is_known_again",
    "embed",
    lambda *_: iter([SpeakerEmbedding(vector=(1.0, 0.0))]),
    voices=VOICES,
)

_ANSWERS = itertools.cycle([0.2, 0.9])
judges("test_judges", lambda *_: iter([TurnEnd(probability=next(_ANSWERS))]))
judges(
    "test_any_length_is_accepted",
    lambda _s, request: iter([TurnEnd(probability=1.0)] if request.audio.seconds < 9 else []),
)
judges(
    "test_silence_is_accepted",
    lambda _s, request: iter([TurnEnd(probability=1.0)] if request.audio.samples.any() else []),
)
judges("test_tells_recordings_apart", lambda *_: iter([TurnEnd(probability=1.0)]),
       audio=sine(1.0), other_audio=sine(1.0, amplitude=0.9))  # fmt: skip


def _answers(sound: Iterator[Any], *, text: str = "one", whole: bool = True) -> Iterator[Any]:
    seconds = begun = 0.0
    for item in sound:
        if isinstance(item, Audio):
            seconds += item.seconds
            continue
        if seconds > begun:
            start = begun if whole else 0.0
            yield Segment(text=text, start=start, end=seconds)
        begun = seconds
        yield Flushed()


def _deaf_to_flush(_self: Any, _request: Any, sound: Iterator[Any]) -> Iterator[Any]:
    for item in sound:
        if isinstance(item, Audio):
            yield Partial(text="one")
    yield Flushed()


def _deaf_to_nothing(_self: Any, _request: Any, sound: Iterator[Any]) -> Iterator[Any]:
    heard = False
    for item in sound:
        if isinstance(item, Audio):
            heard = True
        elif heard:
            yield Flushed()


listens("test_listens", _deaf_to_flush)
listens("test_times_are_of_the_whole", lambda _s, _r, sound: _answers(sound, whole=False))
listens("test_listening_hears_the_words", lambda _s, _r, sound: _answers(sound),
        expected_words=("three",), test_hears_the_words=None)  # fmt: skip
listens("test_a_flush_without_sound_is_answered", _deaf_to_nothing)
