"""Conformance: importing the provider and listing its models leaves the process as it was."""

from __future__ import annotations

import importlib.util

import pytest

from ._purity import Purity, probe
from ._suite import Suite


class ImportChecks(Suite):
    """What happens in a fresh interpreter that imports the backend and lists its models."""

    def test_imports_alone(self) -> None:
        """A fresh interpreter can import the backend, make it and list its models."""
        error = self.imported().error
        assert error is None, f"in a fresh interpreter:\n{error}"

    def test_import_loads_no_engine(self) -> None:
        """Engines are imported by ``load``, in the worker, and nowhere else."""
        heavy = self.purity().heavy(self.engine_modules)
        assert not heavy, f"imported before load(): {heavy}"

    def test_import_prints_nothing(self) -> None:
        """Nothing is written to standard output or error."""
        output = self.purity().output
        assert not output, f"it wrote: {output[:500]}"

    def test_import_keeps_signal_handlers(self) -> None:
        """Signals belong to the program."""
        self.unchanged("signals")

    def test_import_keeps_the_locale(self) -> None:
        """The locale belongs to the program."""
        self.unchanged("locale")

    def test_import_keeps_the_environment(self) -> None:
        """Environment variables, such as thread counts, belong to the program."""
        self.unchanged("environment")

    def test_import_keeps_the_folder(self) -> None:
        """The current folder and the module path belong to the program."""
        self.unchanged("folder")
        self.unchanged("path")

    def test_import_starts_no_threads(self) -> None:
        """Threads may start in ``load``."""
        self.unchanged("threads")

    def test_import_reaches_for_nothing(self) -> None:
        """No network, no child process, no written file during the import."""
        events = self.purity().import_events
        assert not events, f"during the import: {events}"

    def test_catalogue_reads_nothing(self) -> None:
        """``list_available`` is data: it opens no file, folder, process or connection."""
        events = self.purity().catalogue_events
        assert not events, f"during list_available(): {events}"

    def imported(self) -> Purity:
        """What the import did; skips where the module exists only in this process."""
        module, qualname = self.backend.__module__, self.backend.__qualname__
        try:
            known = importlib.util.find_spec(module) is not None
        except (ImportError, ValueError):
            known = False
        if not known or "<locals>" in qualname:
            pytest.skip(f"{module}.{qualname} cannot be imported by its name")
        return probe(module, qualname)

    def purity(self) -> Purity:
        """What the import did; skips where it failed: test_imports_alone tells why."""
        purity = self.imported()
        if purity.error is not None:
            pytest.skip("the import fails: see test_imports_alone")
        return purity

    def unchanged(self, what: str) -> None:
        """Fail if the import changed it."""
        assert what not in self.purity().changes, f"{what} changed: {self.purity().changes[what]}"
