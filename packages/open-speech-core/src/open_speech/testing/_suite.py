"""What all conformance checks stand on: the settings, the loaded model, the deadline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar

import pytest

from .._plugins.backends import Backend, LoadContext, Model, with_kind
from .._plugins.discovery import can_load
from .._plugins.manifest import BackendManifest, ProviderManifest
from .._plugins.resolution import Router
from .._types.audio import Audio
from .._types.models import Capability, Kind, ModelInfo
from ..errors import ModelNotFound

T = TypeVar("T")


@dataclass(kw_only=True)
class Outcome:
    """What one call of a model led to."""

    items: list[object] = field(default_factory=list)
    error: BaseException | None = None
    endless: bool = False
    """Stopped because it went on beyond any bound."""


class State:
    """What one suite class remembers between its checks."""

    def __init__(self) -> None:
        self.model_id: str | None = None
        self.model: Model | None = None
        self.load_error: BaseException | None = None
        self.outcomes: dict[str, Outcome] = {}
        self.hung = False

    def close(self) -> None:
        """Give up the loaded model."""
        model, self.model, self.load_error, self.model_id = self.model, None, None, None
        self.outcomes.clear()
        if model is not None and not self.hung:
            model.close()


class Suite:
    """Settings of a conformance suite. Set them as class attributes."""

    backend: ClassVar[type[Backend]]
    """The backend class under test."""
    models: ClassVar[Sequence[str]] = ()
    """Ids to load, of the catalogue or of a pattern; the catalogue's first where empty."""
    context: ClassVar[LoadContext] = LoadContext()
    """Where the weights lie, for models that have sources."""
    engine_modules: ClassVar[Sequence[str]] = ()
    """Modules that only ``load`` may import, beyond the well-known engines."""
    allow_unpinned: ClassVar[bool] = False
    """Whether catalogue sources may follow a branch instead of naming a commit."""
    deadline_s: ClassVar[float] = 120.0
    """Seconds that a single call of the provider may take before it counts as hanging."""

    text: ClassVar[str] = "Hello there. This is a test of the voice."
    """What a speaking model is asked to say, in a language of its default voice."""
    other_text: ClassVar[str] = (
        "Something else, quite a bit longer than the first text was, follows."
    )
    """A second text, clearly longer or shorter than the first."""
    language: ClassVar[str | None] = None
    """The language of texts and audio, where the model must be told."""
    streams: ClassVar[bool] = False
    """Whether ``text`` must come in more than one chunk."""
    audible: ClassVar[bool] = True
    """False for weights that are made to be silent."""
    tolerance: ClassVar[float] = 0.15
    """How far two durations of the same speech may lie apart, as a share."""
    blend: ClassVar[str | None] = None
    """A voice expression to try where ``VOICE_BLEND`` is declared."""
    phoneme_text: ClassVar[str | None] = None
    """A text with pronunciations to try where ``PHONEMES`` is declared."""
    reference: ClassVar[Audio | None] = None
    """A recording to imitate where ``VOICE_CLONE`` is declared; a tone where None."""
    reference_text: ClassVar[str | None] = None
    """Transcript of the recording."""

    audio: ClassVar[Audio | None] = None
    """What a listening model is given, at its sample rate; two seconds of noise where None."""
    other_audio: ClassVar[Audio | None] = None
    """A second recording, understood differently; silence where None."""
    expected_words: ClassVar[Sequence[str]] = ()
    """Words that must be found in ``audio``; compared without case."""
    known_text: ClassVar[str | None] = None
    """What is said in ``audio``, to align where ``ALIGNMENT`` is declared."""
    time_tolerance_s: ClassVar[float] = 0.5
    """How far times may lie outside of their audio or segment."""
    speakers: ClassVar[int | None] = None
    """How many speakers there are in ``audio``, for a model that tells them apart."""
    voices: ClassVar[Sequence[tuple[Audio, Audio]]] = ()
    """Two recordings of each of several speakers, at the model's rate, where ``EMBEDDING`` is
    declared."""
    grammar: ClassVar[str | None] = None
    """A grammar to try where ``GRAMMAR`` is declared."""

    checked_kind: ClassVar[Kind]
    """What the models of the suite do."""
    _state: ClassVar[State]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._state = State()

    @classmethod
    def teardown_class(cls) -> None:
        """Close what was loaded."""
        cls._state.close()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run the checks of a model once for each of ``models``."""
        if "model_id" in metafunc.fixturenames:
            ids = list(self.models) or [""]
            metafunc.parametrize("model_id", ids, ids=[i or "default" for i in ids], scope="class")

    @pytest.fixture
    def info(self, model_id: str) -> ModelInfo:
        """What the catalogue (or a pattern) says of the model under test."""
        backend = self.made()
        catalogue = self.catalogue()
        if not model_id:
            if not catalogue:
                pytest.skip("the catalogue is empty: set `models`")
            return catalogue[0]
        try:
            return _router(backend, catalogue).resolve(model_id).model
        except ModelNotFound as error:
            pytest.fail(f"`models` names one that {backend.name} does not have: {error}")

    @pytest.fixture
    def model(self, info: ModelInfo) -> Model:
        """The model under test, loaded once for all its checks."""
        state = self._state
        if state.model_id != info.id:
            state.close()
            state.model_id = info.id
            try:
                state.model = self.load(info)
            except (Exception, pytest.fail.Exception) as error:
                state.load_error = error
        if state.model is None:
            pytest.skip("the model does not load: see test_loads")
        return state.model

    def made(self) -> Backend:
        """A backend, or skip: test_backend_can_be_made tells why there is none."""
        try:
            made = self.backend()
        except Exception as error:
            pytest.skip(f"the backend cannot be made: {error}")
        if not can_load(made):
            pytest.skip("the backend cannot load a model: see test_backend_can_be_made")
        return made

    def catalogue(self) -> list[ModelInfo]:
        """The catalogue, or skip: test_catalogue_is_a_list tells why there is none."""
        backend = self.made()
        try:
            catalogue: object = backend.list_available()
        except Exception as error:
            pytest.skip(f"there is no catalogue: {error}")
        if not isinstance(catalogue, list) or any(type(i) is not ModelInfo for i in catalogue):
            pytest.skip("the catalogue is no list of ModelInfo")
        return [with_kind(backend, info) for info in catalogue]

    def load(self, info: ModelInfo) -> Model:
        """Load a model afresh; the caller closes it. Skips where weights are missing."""
        missing = [source.key for source in info.sources if source.key not in self.context.paths]
        if missing:
            pytest.skip(f"no weights for {info.id}: set `context` with paths for {missing}")
        model = self.within(lambda: self.made().load(info, self.context))
        if not isinstance(model, Model):
            raise TypeError(f"load() returned {type(model).__name__}, not a Model")
        return model

    def known(self, info: ModelInfo, model: Model) -> ModelInfo:
        """What is known of a loaded model."""
        return with_kind(self.made(), model.info or info)

    def need(self, capability: Capability, info: ModelInfo, model: Model) -> None:
        """Skip unless the loaded model declares the capability."""
        if capability not in self.known(info, model).capabilities:
            pytest.skip(f"{info.id} does not declare {capability.value}")

    def within(self, act: Callable[[], T]) -> T:
        """Call the provider on a thread of its own, as core does; give up after the deadline."""
        if self._state.hung:
            pytest.skip("the provider hangs: see the first failure")
        answer: Future[T] = Future()

        def run() -> None:
            try:
                answer.set_result(act())
            except BaseException as error:
                answer.set_exception(error)

        threading.Thread(target=run, name="conformance", daemon=True).start()
        try:
            return answer.result(self.deadline_s)
        except TimeoutError:
            if answer.done():
                raise
            self._state.hung = True
            pytest.fail(f"the provider gave no answer within {self.deadline_s:g} seconds")
        except SystemExit as error:
            raise RuntimeError("the provider raised SystemExit") from error

    def collect(
        self, start: Callable[[], Iterator[object]], bound: Callable[[object], float]
    ) -> Outcome:
        """Take all results of a call; ``bound`` says how much of the allowance each uses up."""

        def run() -> Outcome:
            outcome, left = Outcome(), 1.0
            try:
                results = start()
                try:
                    for item in results:
                        if item is None:
                            continue
                        outcome.items.append(item)
                        left -= bound(item)
                        if left < 0.0:
                            outcome.endless = True
                            break
                finally:
                    stop(results)
            except Exception as error:
                outcome.error = error
            return outcome

        return self.within(run)


def stop(results: Iterator[object]) -> None:
    """Close a generator; what cannot be closed is left alone."""
    close = getattr(results, "close", None)
    if close is not None:
        close()


def pieces_of(sound: Audio, size: int) -> list[Audio]:
    """A sound in chunks of so many samples, the last of them shorter."""
    return [
        Audio(samples=sound.samples[first : first + size], sample_rate=sound.sample_rate)
        for first in range(0, len(sound.samples), size)
    ]


def spread(first: float, second: float) -> float:
    """How far two durations lie apart, as a share of the longer one."""
    return abs(first - second) / max(first, second, 1e-9)


def _router(backend: Backend, catalogue: list[ModelInfo]) -> Router:
    """Routing over this one backend, as core does it."""
    patterns = (
        replace(each, template=with_kind(backend, each.template)) for each in backend.patterns
    )
    offered = BackendManifest(
        name=backend.name, kind=backend.kind, models=tuple(catalogue), patterns=tuple(patterns)
    )
    provider = ProviderManifest(
        name=backend.name, distribution="tests", version="0", backends=(offered,)
    )
    return Router([provider])
