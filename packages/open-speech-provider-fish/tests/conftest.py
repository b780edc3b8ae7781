"""A Fish Speech server to ask."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

# The folders of tests are no packages; by this name its test modules import it.
_spec = importlib.util.spec_from_file_location(
    "fish_upstream", Path(__file__).with_name("fish_upstream.py")
)
assert _spec is not None
assert _spec.loader is not None
fish_upstream = sys.modules[_spec.name] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(fish_upstream)

upstream = pytest.fixture(fish_upstream.running, name="upstream")
