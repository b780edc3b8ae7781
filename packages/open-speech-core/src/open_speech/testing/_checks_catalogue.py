"""Conformance: the backend and its catalogue are valid, stable, plain data."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import pytest

from .._operations.validation import MAX_RATE, MIN_RATE
from .._plugins.backends import (
    Backend,
    DiarizationBackend,
    STTBackend,
    TTSBackend,
    TurnBackend,
    VADBackend,
    with_kind,
)
from .._plugins.discovery import can_load, installed_providers, load_backends
from .._plugins.hookspecs import API_VERSION, PROJECT
from .._plugins.patterns import placeholders
from .._types.ids import ModelId
from .._types.models import Capability, Kind, ModelInfo
from ..store._packaged import is_sound
from ._suite import Suite

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_PART = re.compile(r"\{\w+\}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_MAIN = re.compile(r"[a-z]{2,3}")
_DEVICE = re.compile(r"[a-z]+")
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SPEECH = frozenset(
    {
        Capability.PITCH,
        Capability.INSTRUCTIONS,
        Capability.VOICE_CLONE,
        Capability.VOICE_BLEND,
        Capability.PHONEMES,
        Capability.PHONEMIZATION,
        Capability.SEED,
        Capability.WORD_TIMESTAMPS,
    }
)
_SPEAKERS = frozenset({Capability.EMBEDDING, Capability.SPEECH_SPANS})
MAX_GAP_S = 2.0
"""Silence between sentences that a model may declare."""
MAX_GAIN_DB = 12.0
"""Of a voice."""
CAPABILITIES = {
    Kind.TTS: _SPEECH,
    Kind.STT: frozenset(Capability) - _SPEECH - _SPEAKERS | {Capability.WORD_TIMESTAMPS},
    Kind.VAD: frozenset[Capability](),
    Kind.TURN: frozenset[Capability](),
    Kind.DIARIZATION: _SPEAKERS,
}
"""What models of each kind may declare."""
_BACKENDS: dict[Kind, type[Backend]] = {
    Kind.TTS: TTSBackend,
    Kind.STT: STTBackend,
    Kind.VAD: VADBackend,
    Kind.TURN: TurnBackend,
    Kind.DIARIZATION: DiarizationBackend,
}


class CatalogueChecks(Suite):
    """What a backend says before anything is loaded."""

    def test_backend_can_be_made(self) -> None:
        """It is a whole class: nothing abstract is left out, no argument is needed."""
        expected = _BACKENDS[self.checked_kind]
        backend = self.backend()
        assert isinstance(backend, expected), f"it is no {expected.__name__}"
        assert can_load(backend), "it has neither `model_class` nor `load`"

    def test_backend_has_a_valid_name(self) -> None:
        """The name can stand before the colon of a model id."""
        name = getattr(self.backend, "name", None)
        assert isinstance(name, str), "`name` is not set"
        assert _NAME.fullmatch(name), f"the name {name!r} is not of the form [a-z][a-z0-9_-]*"

    def test_backend_is_of_its_kind(self) -> None:
        """The kind agrees with the suite that checks it."""
        assert self.backend.kind is self.checked_kind, f"`kind` is {self.backend.kind!r}"

    def test_backend_is_written_for_this_core(self) -> None:
        """The API version is one that this core knows."""
        assert 1 <= self.backend.api_version <= API_VERSION

    def test_provider_registers_its_backend(self) -> None:
        """The installed entry point gives this backend: it names the class, or has the hook."""
        package = self.backend.__module__.partition(".")[0]
        found = [
            provider
            for provider in installed_providers()
            if provider.module.partition(":")[0].partition(".")[0] == package
            and package != "open_speech"
        ]
        if not found:
            pytest.skip(f"no entry point of group {PROJECT!r} leads into {package!r}")
        kinds = {type(made) for provider in found for made in load_backends(provider)}
        assert self.backend in kinds, (
            f"the entry point {found[0].name!r} does not give this backend"
        )
        names = tuple(provider.name for provider in found)
        assert self.backend.name.startswith(names), (
            f"the backend {self.backend.name!r} is not named after its entry point {names}"
        )

    def test_catalogue_is_a_list(self) -> None:
        """``list_available`` works and lists ModelInfo."""
        catalogue = self.made().list_available()
        assert isinstance(catalogue, list), f"it is a {type(catalogue).__name__}"
        assert all(isinstance(info, ModelInfo) for info in catalogue), "it lists something else"

    def test_backend_serves_something(self) -> None:
        """There is at least one model or one pattern."""
        assert self.catalogue() or self.made().patterns, "neither models nor patterns"

    def test_catalogue_is_stable(self) -> None:
        """Two calls, and two backends, say the same."""
        first, second = self.catalogue(), self.catalogue()
        assert first == second, "two calls of list_available() differ"

    def test_ids_are_valid(self) -> None:
        """Every id and alias is a bare name: no provider before it, no revision after it."""
        for info in self.catalogue():
            for name in (info.id, *info.aliases):
                assert str(ModelId.parse(name)) == ModelId.parse(name).name, (
                    f"{name!r} has a provider or a revision"
                )

    def test_ids_are_unique(self) -> None:
        """No id or alias occurs twice."""
        names = [name for info in self.catalogue() for name in {info.id, *info.aliases}]
        twice = sorted({name for name in names if names.count(name) > 1})
        assert not twice, f"used more than once: {twice}"

    def test_models_are_of_the_kind(self) -> None:
        """Every model does what the backend does."""
        for info in self.described():
            assert info.kind is self.checked_kind, f"{info.id} is {info.kind!r}"

    def test_licenses_to_accept_are_named(self) -> None:
        """Nobody is asked to accept a licence without a name."""
        for info in self.described():
            assert info.license or not info.must_accept_license, f"{info.id} names no license"

    def test_capabilities_are_of_the_kind(self) -> None:
        """Capabilities are those that the kind can have."""
        for info in self.described():
            odd = frozenset(info.capabilities) - CAPABILITIES[self.checked_kind]
            assert not odd, f"{info.id} cannot have {sorted(map(str, odd))}"

    def test_kinds_read_are_by_language(self) -> None:
        """What a front end reads is told by main languages or ``*``, and only of speech."""
        for info in self.described():
            odd = [tag for tag in info.reads if tag != "*" and not _MAIN.fullmatch(tag)]
            assert not odd, f"{info.id}: no main parts of language tags: {odd}"
            assert info.kind is Kind.TTS or not info.reads, f"{info.id} listens and reads"

    def test_data_is_plain(self) -> None:
        """ModelInfo holds what JSON can tell: no numpy numbers, lists, paths or NaN."""
        for info in self.described():
            json.dumps(_plain(info, info.id), allow_nan=False)

    def test_numbers_are_sane(self) -> None:
        """Rates, sizes, limits and concurrency are possible."""
        for info in self.described():
            assert MIN_RATE <= info.sample_rate <= MAX_RATE, f"{info.id}: {info.sample_rate} Hz"
            assert info.concurrency >= 1, f"{info.id}: concurrency {info.concurrency}"
            slowest, fastest = info.speeds
            assert 0 < slowest <= 1 <= fastest, f"{info.id}: speeds {info.speeds}"
            assert 0 <= info.gap_s <= MAX_GAP_S, f"{info.id}: a gap of {info.gap_s} s"
            loud = [voice.id for voice in info.voices if not abs(voice.gain_db) <= MAX_GAIN_DB]
            assert not loud, f"{info.id}: gains of more than {MAX_GAIN_DB:g} dB: {loud}"
            for number in (info.max_text_chars, info.size_bytes):
                assert number is None or number > 0, f"{info.id}: {number}"

    def test_languages_are_tags(self) -> None:
        """Languages are BCP-47 tags."""
        for info in self.described():
            tags = [*info.languages, *(tag for voice in info.voices for tag in voice.languages)]
            # Of a pattern, they may be made of parts of the name.
            odd = [tag for tag in tags if not _LANGUAGE.fullmatch(_PART.sub("en", tag))]
            assert not odd, f"{info.id}: no language tags: {odd}"

    def test_devices_are_named(self) -> None:
        """There is at least one device, named without a number."""
        for info in self.described():
            assert info.devices, f"{info.id} runs on no device"
            assert all(_DEVICE.fullmatch(device) for device in info.devices), str(info.devices)

    def test_voices_are_unique(self) -> None:
        """Voices have ids, none twice, and leave the word ``default`` alone. STT has none."""
        for info in self.described():
            ids = [voice.id for voice in info.voices]
            assert len(ids) == len(set(ids)), f"{info.id}: a voice occurs twice"
            assert all(ids), f"{info.id}: a voice without an id"
            assert "default" not in {*ids, *info.voice_aliases}, "`default` is reserved"
            assert info.kind is Kind.TTS or not ids, f"{info.id} listens and has voices"

    def test_default_voice_exists(self) -> None:
        """The default voice is one of the voices."""
        for info in self.described():
            ids = {voice.id for voice in info.voices}
            assert info.default_voice is None or info.default_voice in ids, (
                f"{info.id} has no voice {info.default_voice!r}"
            )

    def test_voice_aliases_resolve(self) -> None:
        """Every alias stands for a voice."""
        for info in self.described():
            ids = {voice.id for voice in info.voices}
            odd = {alias: voice for alias, voice in info.voice_aliases.items() if voice not in ids}
            assert not odd, f"{info.id}: aliases of no voice: {odd}"

    def test_sources_are_valid(self) -> None:
        """Sources are ``organisation/name``, each under a key of its own, files below the root."""
        for info in self.catalogue():
            keys = [source.key for source in info.sources]
            assert len(keys) == len(set(keys)), f"{info.id}: two sources under one key"
            for source in info.sources:
                assert _REPOSITORY.fullmatch(source.repo_id), f"{info.id}: {source.repo_id!r}"
                odd = [
                    file
                    for file in (*source.files, *source.optional)
                    if file.startswith("/") or ".." in file
                ]
                assert not odd, f"{info.id}: files outside of the repository: {odd}"

    def test_packages_are_pinned(self) -> None:
        """Packages with weights are named at one version, with the name and sum of each file."""
        for info in self.catalogue():
            for source in info.sources:
                assert source.packaged is None or is_sound(source.packaged), (
                    f"{info.id}: packages are named as name==version, files with a size, a SHA-256 "
                    f"and parts below the packages' root, not as in {source.packaged}"
                )

    def test_sources_are_pinned(self) -> None:
        """Catalogue sources name a commit, so that what was tested is what is downloaded."""
        if self.allow_unpinned:
            pytest.skip("`allow_unpinned` is set")
        for info in self.catalogue():
            for source in info.sources:
                assert _COMMIT.fullmatch(source.revision or ""), (
                    f"{info.id}: {source.repo_id} is not pinned to a commit; pin it, or set "
                    "`allow_unpinned` and say why"
                )

    def test_patterns_are_valid(self) -> None:
        """Patterns do not claim everything, and their sources follow the name."""
        for pattern in self.made().patterns:
            assert pattern.glob.strip("*?/"), f"{pattern.glob!r} claims every name"
            known = sorted(f"{{{part}}}" for part in placeholders(pattern))
            for source in pattern.template.sources:
                texts = (source.repo_id, *source.files, *source.optional)
                assert any(part in text for text in texts for part in known), (
                    f"{pattern.glob!r}: all its names would load the same {source.repo_id}"
                )
                rest = "".join(texts)
                for part in known:
                    rest = rest.replace(part, "")
                assert not {"{", "}"} & set(rest), f"only {', '.join(known)} can stand in {texts}"

    def described(self) -> Iterator[ModelInfo]:
        """Everything of type ModelInfo that the backend gives before loading."""
        yield from self.catalogue()
        backend = self.made()
        for pattern in backend.patterns:
            yield with_kind(backend, pattern.template)


def _plain(value: Any, where: str) -> Any:
    """The value as JSON knows it; fails for what is not plain and frozen."""
    if isinstance(value, Enum):
        return value.value
    if value is None or type(value) in (bool, int, float, str):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _plain(getattr(value, field.name), f"{where}.{field.name}")
            for field in dataclasses.fields(value)
        }
    if isinstance(value, (tuple, frozenset)):
        return [_plain(item, where) for item in value]
    if isinstance(value, Mapping):
        assert all(type(key) is str for key in value), f"{where} has keys that are no text"
        return {key: _plain(item, where) for key, item in value.items()}
    raise AssertionError(f"{where} is a {type(value).__name__}, which is not plain frozen data")
