"""Checks of what is installed: providers, configured models, environments."""

from __future__ import annotations

from collections.abc import Iterator

from ..settings.settings import Settings
from .check_result import CheckResult, ok, warning, wrong
from .console import ProgressLine


def providers(settings: Settings, progress: ProgressLine) -> Iterator[CheckResult]:
    """Every provider can be used, and somebody serves the configured models."""
    from .local import opened

    with opened(settings, progress) as client:
        found = client.providers()
        unserved = client.unserved()
    if not found:
        yield wrong("provider", "none is installed", "Run 'open-speech providers install NAME'.")
    for each in found:
        where = f", in the environment {each.environment}" if each.environment else ""
        if each.error is None:
            models = "1 model" if each.models == 1 else f"{each.models} models"
            yield ok("provider", f"{each.name} {each.version}: {models}{where}")
        else:
            again = "open-speech providers install --upgrade"
            isolated = " --isolated" if each.environment else ""
            yield wrong(
                "provider",
                each.error,
                f"Try '{again}{isolated} {each.distribution}', or 'open-speech providers remove "
                f"{each.distribution}'.",
            )
    for why, chosen in unserved.values():
        if chosen:
            yield wrong("default", why, "Or name another model in STT_MODEL or TTS_MODEL.")
        else:
            yield warning("default", why, "Or set STT_MODEL and TTS_MODEL to what is installed.")
    if not unserved:
        names = ", ".join((*settings.stt_models, *settings.tts_models))
        yield ok("default", f"{names}: somebody serves each of them")


def environments(settings: Settings) -> Iterator[CheckResult]:
    """Environments of providers are whole, and the shared one is as they were made for."""
    from ..settings.core_config import environment_store

    store = environment_store(settings)
    found = store.list()
    if not found:
        yield ok("environment", "no provider has one of its own")
    for each in found:
        again = f"Run 'open-speech providers install --isolated --upgrade {each.requirement}'."
        if each.problem:
            yield wrong("environment", each.problem, "")
        elif changes := store.drifted(each):
            said = "; ".join(f"{c.name} was {c.wanted} and is {c.installed}" for c in changes)
            yield wrong("environment", f"{each.name} was made for other packages: {said}", again)
        else:
            yield ok("environment", f"{each.name} {each.version or ''}: whole".replace(" :", ":"))
