"""The pytest plugin of Open Speech, loaded wherever core is installed: it must stay light.

It makes failing checks of the conformance suite explain themselves (pytest rewrites the
assertions of the modules named here when they are imported) and adds the marker ``conformance``,
so that ``-m conformance`` runs the suites alone.
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    "open_speech.testing._checks_catalogue",
    "open_speech.testing._checks_hearing",
    "open_speech.testing._checks_import",
    "open_speech.testing._checks_loading",
    "open_speech.testing._checks_speech",
    "open_speech.testing.sound",
)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "conformance: checks of the provider contract")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the checks of a conformance suite, without importing it where there is none."""
    owner = getattr(item, "cls", None)
    if owner is not None and hasattr(owner, "checked_kind"):
        item.add_marker("conformance")
