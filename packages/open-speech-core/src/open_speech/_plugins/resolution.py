"""From a model's name to the backend that serves it, all in memory."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from .._types.ids import ModelId
from .._types.models import ModelInfo, ModelPattern
from ..errors import ModelConflict, ModelNotFound, OpenSpeechError, ProviderBroken, ProviderMissing
from .manifest import BackendManifest, ProviderManifest
from .patterns import claimed, placeholders


@dataclass(frozen=True, kw_only=True)
class ResolvedModel:
    """One model of one backend of one provider: what a name resolves to."""

    provider: ProviderManifest
    backend: str
    model: ModelInfo
    revision: str | None = None
    path: Path | None = None
    """The operator's own folder or file, which no store has a part in."""

    @property
    def id(self) -> str:
        """The model's name with its revision, if one was asked for."""
        return f"{self.model.id}@{self.revision}" if self.revision else self.model.id


@dataclass(frozen=True, kw_only=True)
class LocalModel:
    """A folder or file that the operator gave a name to, and who recognises it."""

    id: ModelId
    """The name; its prefix, if there is one, is the only backend that counts."""
    path: Path
    resolved_models: tuple[ResolvedModel, ...] = ()
    """Of each backend that recognises it."""
    problem: str | None = None
    """Why there are none, as the end of a sentence."""


@dataclass(frozen=True, kw_only=True)
class Hint:
    """What to install for names of a pattern that nobody serves."""

    glob: str
    distribution: str
    """The provider that serves them; the hint is given where it is not installed."""
    advice: str
    """One sentence: ``Install it with 'pip install ...'.``"""


class Router:
    """Resolves names over a fixed set of manifests. Immutable; safe from any thread."""

    def __init__(
        self,
        providers: Sequence[ProviderManifest],
        hints: Sequence[Hint] = (),
        gone: Sequence[ProviderManifest] = (),
        local: Sequence[LocalModel] = (),
    ) -> None:
        """``gone`` are providers that were installed before: their models are not unknown."""
        installed = {provider.distribution for provider in providers}
        self._hints = tuple(hint for hint in hints if hint.distribution not in installed)
        self._gone = Router(gone) if gone else None
        self._offers: list[ResolvedModel] = []
        self._names: dict[str, list[ResolvedModel]] = {}
        self._families: list[tuple[ModelPattern, ProviderManifest, BackendManifest]] = []
        self._broken = {provider.name: provider for provider in providers if provider.error}
        self._local: dict[str, list[ResolvedModel]] = {}
        for each in local:
            self._local.setdefault(each.id.name, []).extend(each.resolved_models)
        self._unserved = [each for each in local if not each.resolved_models]
        for provider in providers:
            for backend in provider.backends:
                self._add(provider, backend)
        self._offers += [
            resolved for resolved_models in self._local.values() for resolved in resolved_models
        ]
        self._catalogue = tuple(self._offers)

    def _add(self, provider: ProviderManifest, backend: BackendManifest) -> None:
        for model in backend.models:
            # The operator's own copy of a model takes its place, short forms of the name included.
            own = [each for each in self._local.get(model.id, ()) if each.backend == backend.name]
            resolved_models = own or [
                ResolvedModel(provider=provider, backend=backend.name, model=model)
            ]
            if not own:
                self._offers += resolved_models
            for name in {model.id, *model.aliases}:
                self._names.setdefault(name, []).extend(resolved_models)
        for pattern in backend.patterns:
            with suppress(ValueError):  # a shape that only a newer core knows
                placeholders(pattern)
                self._families.append((pattern, provider, backend))

    @property
    def catalogue(self) -> tuple[ResolvedModel, ...]:
        """Every model that a provider lists, in the order of the providers; then local ones.

        The same tuple each time: what is made of it can be kept for as long as it is.
        """
        return self._catalogue

    @property
    def unserved(self) -> Mapping[str, ModelNotFound]:
        """Local models that nobody recognises, by name, with the reason."""
        return {each.id.name: _unrecognised(each) for each in self._unserved}

    @property
    def conflicts(self) -> dict[str, tuple[str, ...]]:
        """Names that several backends list, with the backends."""
        return {
            name: tuple(resolved.backend for resolved in resolved_models)
            for name, resolved_models in (self._names | self._local).items()
            if len({resolved.backend for resolved in resolved_models}) > 1
        }

    def resolve(self, name: ModelId | str) -> ResolvedModel:
        """Find who serves a name: a local model first, then a listed one, then a pattern.

        Raises InvalidModelId, ModelNotFound (with near matches), ProviderMissing, ModelConflict,
        ProviderBroken.
        """
        wanted = name if isinstance(name, ModelId) else ModelId.parse(name)
        found = self._candidates(wanted)
        backends = sorted({resolved.backend for resolved in found})
        if len(backends) > 1:
            choices = " or ".join(f"'{backend}:{wanted.name}'" for backend in backends)
            raise ModelConflict(
                f"The model {wanted.name!r} is served by several providers: {', '.join(backends)}.",
                model=str(wanted),
                param="model",
                hint=f"Ask for {choices}.",
            )
        if not found:
            raise self._not_found(wanted)
        if found[0].path is not None and wanted.revision is not None:
            raise ModelNotFound(
                f"The model {wanted.name!r} has no revisions: it is a folder or file of its own.",
                model=str(wanted),
                param="model",
                hint=f"Ask for {wanted.name!r}.",
            )
        return dataclasses.replace(found[0], revision=wanted.revision)

    def _candidates(self, wanted: ModelId) -> list[ResolvedModel]:
        if found := self._listed(self._local, wanted):
            return found
        self._refuse_unserved(wanted)
        return self._listed(self._names, wanted) or [
            ResolvedModel(provider=provider, backend=backend.name, model=model)
            for pattern, provider, backend in self._families
            if wanted.provider in (None, backend.name)
            and (model := claimed(pattern, wanted.name)) is not None
        ]

    @staticmethod
    def _listed(
        known: Mapping[str, Sequence[ResolvedModel]], wanted: ModelId
    ) -> list[ResolvedModel]:
        return [
            resolved
            for resolved in known.get(wanted.name, ())
            if wanted.provider in (None, resolved.backend)
        ]

    def _refuse_unserved(self, wanted: ModelId) -> None:
        """Raise ModelNotFound for a local model; nothing else of its name is meant."""
        for each in self._unserved:
            asked = {each.id.provider, wanted.provider} - {None}
            if each.id.name == wanted.name and len(asked) < 2:
                raise _unrecognised(each)

    def _not_found(self, wanted: ModelId) -> ModelNotFound | ProviderBroken:
        broken = self._broken.get(wanted.provider or wanted.name.partition("/")[0])
        if broken:
            return ProviderBroken(
                f"The model {str(wanted)!r} belongs to a provider that is broken: {broken.error}",
                provider=broken.name,
                model=str(wanted),
                param="model",
            )
        similar = self.similar(wanted.name)
        return self._missing(wanted) or ModelNotFound(
            f"No installed provider serves a model named {str(wanted)!r}.",
            model=str(wanted),
            param="model",
            hint=f"Did you mean {' or '.join(repr(name) for name in similar)}?"
            if similar
            else "'open-speech models' lists what is served.",
        )

    def _missing(self, wanted: ModelId) -> ProviderMissing | None:
        """That the provider is not installed, where it is known which one that is."""
        hint = next((hint for hint in self._hints if fnmatchcase(wanted.name, hint.glob)), None)
        lost = self._gone_with(wanted)
        distribution = hint.distribution if hint else lost
        if distribution is None:
            return None
        state = "is no longer installed" if lost else "is not installed"
        return ProviderMissing(
            f"{distribution}, which serves the model {str(wanted)!r}, {state}.",
            model=str(wanted),
            param="model",
            hint=hint.advice if hint else "Install it again, or name another model.",
        )

    def _gone_with(self, wanted: ModelId) -> str | None:
        """The distribution that served the name and is gone."""
        if self._gone is None:
            return None
        try:
            return self._gone.resolve(wanted).provider.distribution
        except OpenSpeechError:
            return None

    def similar(self, name: str) -> list[str]:
        """Up to three listed names that look like this one, the closest first."""
        return similar_names(name, [*self._local, *self._names])


def similar_names(name: str, known: Iterable[str]) -> list[str]:
    """Up to three of the known names that look like this one, the closest first."""
    folded = {other.casefold(): other for other in known}
    close = difflib.get_close_matches(name.casefold()[:128], list(folded), n=3, cutoff=0.6)
    return [folded[match] for match in close]


def _unrecognised(local: LocalModel) -> ModelNotFound:
    return ModelNotFound(
        f"The local model {str(local.id)!r} cannot be served: {local.problem}.",
        model=str(local.id),
        param="model",
        hint="It must be a folder or file in a format that an installed provider reads.",
    )
