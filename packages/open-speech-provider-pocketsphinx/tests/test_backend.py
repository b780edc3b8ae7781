"""The catalogue: data only, with a name that core can parse."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

from open_speech import ModelId
from open_speech_provider_pocketsphinx import PocketsphinxBackend, open_speech_backends


def test_entry_point_leads_to_the_hook() -> None:
    (entry,) = metadata.entry_points(group="open_speech", name="pocketsphinx")
    module = entry.load()
    assert [type(backend) for backend in module.open_speech_backends()] == [PocketsphinxBackend]


def test_importing_and_listing_loads_no_engine() -> None:
    code = """if True:
        import sys
        import open_speech_provider_pocketsphinx as provider
        backends = provider.open_speech_backends()
        assert all(backend.list_available() for backend in backends)
        assert "pocketsphinx" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_catalogue_is_the_embedded_model() -> None:
    (backend,) = open_speech_backends()
    (model,) = backend.list_available()
    assert ModelId.parse(model.id).name == model.id == "pocketsphinx/en-us"
    assert model.sample_rate == 16_000
    assert model.languages == ("en-US",)
    assert model.sources == ()
    assert model.concurrency == 1
