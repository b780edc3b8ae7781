"""What a backend is told when a model is loaded."""

from __future__ import annotations

import pytest

from open_speech import Policy
from open_speech.testing.install import install_provider

REPORTING = """
from dataclasses import replace

from open_speech import hookimpl
from open_speech.testing.tone import ToneBackend, ToneModel


class Reporting(ToneModel):
    @property
    def info(self):
        return self._info


class ReportingBackend(ToneBackend):
    name = "reporting"
    patterns = ()

    def load(self, model, context):
        told = f"{context.threads} threads, {dict(context.options)}"
        return Reporting(replace(model, description=told), {})


@hookimpl
def open_speech_backends():
    return [ReportingBackend()]
"""


@pytest.mark.parametrize("isolated", [True, False])
async def test_threads_and_settings_of_its_own_reach_it(make_speech, site, isolated):
    install_provider(site, "reporting", REPORTING)
    async with make_speech(
        install=(),
        providers=("reporting",),
        isolated=isolated,
        policy=Policy(threads=3),
        options={"reporting": {"pace": 2}},
    ) as speech:
        instance = await speech.manager.load("tone/sine")
        assert instance.model.description == "3 threads, {'pace': 2}"


async def test_without_settings_it_is_left_to_the_engine(make_speech, site):
    install_provider(site, "reporting", REPORTING)
    async with make_speech(install=(), providers=("reporting",)) as speech:
        instance = await speech.manager.load("tone/sine")
        assert instance.model.description == "0 threads, {}"
