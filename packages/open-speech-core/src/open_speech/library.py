"""Every model there is, on offer, on disk and in memory; and what can be done with its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from . import errors
from .hosts import GLANCE_S
from .ids import ModelId
from .manager import ModelManager
from .models import Kind, ModelInfo
from .resident import ModelState, Resident
from .routing import Offer
from .status import ModelStatus, of_offer, of_resident
from .weights import Stored

_AT_REST = frozenset({ModelState.AVAILABLE, ModelState.DOWNLOADED})


class Library:
    """Knows all models by name. One event loop only.

    ``resolve`` finds what a caller may have; ``find`` whatever is served; ``catalogue`` tells what
    is listed.
    """

    def __init__(
        self,
        manager: ModelManager,
        resolve: Callable[[str], Offer],
        find: Callable[[str], Offer],
        catalogue: Callable[[], Sequence[Offer]],
    ) -> None:
        self._manager = manager
        self._resolve = resolve
        self._find = find
        self._catalogue = catalogue
        self._downloads = manager.downloads
        self._shelf: tuple[Sequence[Offer], tuple[ModelStatus, ...]] = ((), ())
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
            statuses = tuple(of_offer(each, state[bool(each.model.sources)]) for each in catalogue)
            self._shelf = (catalogue, statuses)
        return self._shelf[1]

    async def status(self, name: str, device: str | None = None) -> ModelStatus:
        """One model, by any of its names. Raises what resolving a name raises."""
        offer = self._resolve(name)
        here = [resident for resident in self._manager.residents.of(offer, device)
                if resident.key.revision == offer.revision]  # fmt: skip
        resident = max(here, key=lambda each: (each.host is not None, each.busy), default=None)
        if resident is None:
            status = of_offer(offer, ModelState.AVAILABLE)
        else:
            memory = await resident.host.memory(GLANCE_S) if resident.host else None
            status = of_resident(resident, self._manager.policy.ttl_s, memory)
        return await self._downloads.run(self._looked_up, status)

    async def download(self, name: str) -> Resident:
        """Have a model's files on disk, however long it takes. Raises what the store raises."""
        resident = self._manager.resident(name)
        self._manager.refuse_at_the_end()
        await self._downloads.have(resident)
        return resident

    async def accept_license(self, name: str) -> None:
        """Accept the licence of a model's weights, and so of every model under it; for ever."""
        model, weights = self._resolve(name).model, self._downloads.weights
        if weights is not None:
            await self._downloads.run(weights.accept_license, model)

    async def update(self, name: str) -> bool:
        """Move a model to the newest revision of its files; whether that is another one.

        Where it is loaded it is loaded anew, beside the old one, which serves until then.
        """
        resident = self._manager.resident(name)
        self._manager.refuse_at_the_end()
        moved = await self._downloads.update(resident)
        if moved:
            await self._manager.reload(resident.offer)
        return moved

    async def cancel(self, name: str) -> bool:
        """Stop a model's download, whoever began it; whether there was one."""
        found = self._manager.residents.of(self._resolve(name))
        return any([await self._downloads.cancel(resident) for resident in found])

    async def delete(self, name: str) -> None:
        """Delete a model's files from disk; ModelInUse while it is loaded, here or elsewhere.

        DeleteRefused for a local model, whose files are the operator's own.
        The name may be that of a model whose provider is gone.
        """
        try:
            offer = self._resolve(name)
        except errors.ModelNotFound:
            wanted = ModelId.parse(name)
            for stored in await self._stored():
                if (stored.id, stored.requested) == (wanted.name, wanted.revision):
                    orphan = ModelInfo(id=stored.id, kind=stored.kind)
                    await self._downloads.delete(orphan, stored.requested)
                    self._tell(name, ModelState.PROVIDER_MISSING)
                    return
            raise
        if offer.path is not None:
            raise errors.DeleteRefused(
                f"The model {offer.id!r} is your own, at {offer.path}.",
                model=offer.id,
                hint="Delete it there.",
            )
        found = self._manager.residents.of(offer)
        if any(each.host and offer.revision in (None, each.key.revision) for each in found):
            raise errors.ModelInUse(
                f"The model {offer.id!r} is loaded.", model=offer.id, hint="Unload it first."
            )
        await self._downloads.delete(offer.model, offer.revision)
        cared_for = self._manager.residents.of(offer)  # as they are now
        for each in cared_for:
            if each.state in _AT_REST:
                self._manager.become(each, ModelState.AVAILABLE)
            elif each.state is ModelState.FAILED:  # so it stays until the next try
                self._manager.become(each, ModelState.FAILED)
        if not cared_for:
            self._tell(offer.id, ModelState.AVAILABLE)

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
            return of_offer(self._find(name), ModelState.DOWNLOADED)
        except errors.OpenSpeechError:
            model = ModelInfo(id=stored.id, kind=stored.kind, size_bytes=stored.size_bytes)
            return of_nobody(name, stored.kind, model)

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
        state = ModelState.DOWNLOADED if stored else ModelState.AVAILABLE
        pending = stored is None and weights.license_pending(model)
        if stored is None and status.state is state and not pending:
            return status
        return replace(
            status,
            state=state if status.state in _AT_REST and not status.busy else status.state,
            revision=stored.revision if stored else None,
            disk_bytes=stored.size_bytes if stored else None,
            license_pending=pending,
        )


def of_nobody(name: str, kind: Kind, model: ModelInfo | None = None) -> ModelStatus:
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
