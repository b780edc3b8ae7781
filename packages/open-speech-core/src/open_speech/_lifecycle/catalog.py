"""Every model there is, on offer, on disk and in memory; and what can be done with its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .. import errors
from .._hosts import STATUS_TIMEOUT_S
from .._plugins.resolution import ResolvedModel
from .._types.ids import ModelId
from .._types.models import Kind, ModelInfo
from .instance import ModelInstance
from .manager import ModelManager
from .states import ModelState
from .status import ModelStatus, status_of_instance, status_of_model
from .weights import Stored

_AT_REST = frozenset({ModelState.AVAILABLE, ModelState.DOWNLOADED})


class Catalog:
    """Knows all models by name. One event loop only.

    ``resolve`` finds what a caller may have; ``find`` whatever is served; ``catalogue`` tells what
    is listed.
    """

    def __init__(
        self,
        manager: ModelManager,
        resolve: Callable[[str], ResolvedModel],
        find: Callable[[str], ResolvedModel],
        catalogue: Callable[[], Sequence[ResolvedModel]],
    ) -> None:
        self._manager = manager
        self._resolve = resolve
        self._find = find
        self._catalogue = catalogue
        self._downloads = manager.downloads
        self._shelf: tuple[Sequence[ResolvedModel], tuple[ModelStatus, ...]] = ((), ())
        """A catalogue, and its models as they are while nobody has touched them."""

    async def models(self, *, measure: bool = True) -> list[ModelStatus]:
        """Those in memory, then those of the catalogue, then whatever else is on disk.

        ``measure`` asks each worker for the memory that it holds. A model that nobody has touched
        and that is not on disk has the same status each time, as long as the catalogue is the same.
        """
        found = await self._manager.status(measure=measure)
        known = {(status.backend, status.id) for status in found}
        found += [each for each in self._untouched() if (each.backend, each.id) not in known]
        return await self._downloads.run(self._with_disk, found)

    def _untouched(self) -> Sequence[ModelStatus]:
        """The whole catalogue, worked out once for each: it may have a thousand models."""
        catalogue = self._catalogue()
        if self._shelf[0] is not catalogue:
            state = {True: ModelState.AVAILABLE, False: ModelState.DOWNLOADED}
            statuses = tuple(
                status_of_model(each, state[bool(each.model.sources)]) for each in catalogue
            )
            self._shelf = (catalogue, statuses)
        return self._shelf[1]

    async def status(self, name: str, device: str | None = None) -> ModelStatus:
        """One model, by any of its names. Raises what resolving a name raises."""
        resolved = self._resolve(name)
        here = [instance for instance in self._manager.instances.of(resolved, device)
                if instance.key.revision == resolved.revision]  # fmt: skip
        instance = max(here, key=lambda each: (each.host is not None, each.busy), default=None)
        if instance is None:
            status = status_of_model(resolved, ModelState.AVAILABLE)
        else:
            memory = await instance.host.memory(STATUS_TIMEOUT_S) if instance.host else None
            status = status_of_instance(instance, self._manager.policy.ttl_s, memory)
        return await self._downloads.run(self._looked_up, status)

    async def download(self, name: str) -> ModelInstance:
        """Have a model's files on disk, however long it takes. Raises what the store raises."""
        instance = self._manager.instance(name)
        self._manager.ensure_accepting()
        await self._downloads.have(instance)
        return instance

    async def accept_license(self, name: str) -> None:
        """Accept the licence of a model's weights, and so of every model under it; for ever."""
        model, weights = self._resolve(name).model, self._downloads.weights
        if weights is not None:
            await self._downloads.run(weights.accept_license, model)

    async def update(self, name: str) -> bool:
        """Move a model to the newest revision of its files; whether that is another one.

        Where it is loaded it is loaded anew, beside the old one, which serves until then.
        """
        instance = self._manager.instance(name)
        self._manager.ensure_accepting()
        moved = await self._downloads.update(instance)
        if moved:
            await self._manager.reload(instance.resolved)
        return moved

    async def cancel(self, name: str) -> bool:
        """Stop the download or load of a model, if one is running; returns whether it was."""
        stopped = False
        for instance in self._manager.instances.of(self._resolve(name)):
            stopped |= await self._downloads.cancel(instance)
            stopped |= await self._manager.stop_loading(instance)
        return stopped

    async def delete(self, name: str) -> None:
        """Delete a model from disk; ModelInUse while it is loaded, here or elsewhere.

        DeleteRefused for a local model, whose files are the operator's own.
        The name may be that of a model whose provider is gone.
        """
        try:
            resolved = self._resolve(name)
        except errors.ModelNotFound:
            wanted = ModelId.parse(name)
            for stored in await self._stored():
                if (stored.id, stored.requested) == (wanted.name, wanted.revision):
                    orphan = ModelInfo(id=stored.id, kind=stored.kind)
                    await self._downloads.delete(orphan, stored.requested)
                    self._tell(name, ModelState.PROVIDER_MISSING)
                    return
            raise
        if resolved.path is not None:
            raise errors.DeleteRefused(
                f"The model {resolved.id!r} is your own, at {resolved.path}.",
                model=resolved.id,
                hint="Delete it there.",
            )
        found = self._manager.instances.of(resolved)
        for each in found:
            if resolved.revision in (None, each.key.revision):
                await self._manager.stop_loading(each)
        if any(each.host and resolved.revision in (None, each.key.revision) for each in found):
            raise errors.ModelInUse(
                f"The model {resolved.id!r} is loaded.", model=resolved.id, hint="Unload it first."
            )
        await self._downloads.delete(resolved.model, resolved.revision)
        cared_for = self._manager.instances.of(resolved)  # as they are now
        for each in cared_for:
            if each.state in _AT_REST:
                each.move_to(ModelState.AVAILABLE)
            elif each.state is ModelState.FAILED:  # so it stays until the next try
                self._tell(resolved.id, ModelState.FAILED)
        if not cared_for:
            self._tell(resolved.id, ModelState.AVAILABLE)

    def _tell(self, name: str, state: ModelState) -> None:
        """Say what became of the files of a model that is not in the manager's care."""
        self._manager.events.publish("state", name, state=state.value)

    async def _stored(self) -> Sequence[Stored]:
        weights = self._downloads.weights
        return await self._downloads.run(weights.list) if weights else ()

    def _with_disk(self, found: list[ModelStatus]) -> list[ModelStatus]:
        """Add what is on disk, reading the store once; in a thread."""
        known = {status.id for status in found}
        weights = self._downloads.weights
        stored = weights.list() if weights else ()
        found = found + [self._of_stored(each) for each in stored if _name(each) not in known]
        here = {(each.kind, each.id, each.requested): each for each in stored}
        for each in stored:  # the commit that is here anyway, asked for by its name
            if each.requested is None:
                here.setdefault((each.kind, each.id, each.revision), each)
        return [
            self._on_disk(each, here.get((each.kind, each.model.id, each.requested)))
            for each in found
        ]

    def _of_stored(self, stored: Stored) -> ModelStatus:
        name = _name(stored)
        try:
            return status_of_model(self._find(name), ModelState.DOWNLOADED)
        except errors.OpenSpeechError:
            model = ModelInfo(id=stored.id, kind=stored.kind, size_bytes=stored.size_bytes)
            return status_of_missing(name, stored.kind, model)

    def _looked_up(self, status: ModelStatus) -> ModelStatus:
        """One model with what is on disk of it; in a thread."""
        weights, model = self._downloads.weights, status.model
        stored = weights.find(model, status.requested) if weights and model.sources else None
        return self._on_disk(status, stored)

    def _on_disk(self, status: ModelStatus, stored: Stored | None) -> ModelStatus:
        """Add what the store has under a model's name; the same status if that is no news."""
        weights, model = self._downloads.weights, status.model
        if not model.sources or weights is None:
            embedded = status.state is ModelState.AVAILABLE and not model.sources
            return replace(status, state=ModelState.DOWNLOADED) if embedded else status
        if stored is not None and not stored.serves(model):
            stored = None  # what a model of this name was made of before
        if stored is None and any(source.packaged for source in model.sources):
            stored = weights.find(model, status.requested)  # a list of the store has no packages
        state = ModelState.DOWNLOADED if stored else ModelState.AVAILABLE
        pending = stored is None and weights.license_pending(model)
        if stored is None and status.state is state and not pending:
            return status
        return replace(
            status,
            state=state if status.state in _AT_REST and not status.busy else status.state,
            revision=stored.revision if stored else None,
            disk_bytes=stored.size_bytes if stored else None,
            packages=stored.packages if stored else (),
            license_pending=pending,
        )


def status_of_missing(name: str, kind: Kind, model: ModelInfo | None = None) -> ModelStatus:
    """The status of a model that no installed provider serves."""
    return ModelStatus(
        id=name,
        kind=kind,
        provider="",
        backend="",
        state=ModelState.PROVIDER_MISSING,
        model=model or ModelInfo(id=name, kind=kind),
    )


def _name(stored: Stored) -> str:
    return f"{stored.id}@{stored.requested}" if stored.requested else stored.id
