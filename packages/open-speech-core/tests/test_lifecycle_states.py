from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech import Kind, ModelInfo
from open_speech._lifecycle.instance import ModelInstance, ModelKey
from open_speech._lifecycle.states import AT_REST, OCCUPYING, ModelState
from open_speech._plugins.manifest import ProviderManifest
from open_speech._plugins.resolution import ResolvedModel

S = ModelState


def instance() -> tuple[ModelInstance, list[ModelState]]:
    """A model nobody has asked for yet, and the states it tells of."""
    told: list[ModelState] = []
    made = ModelInstance(
        key=ModelKey(backend="b", name="m", revision=None, device="cpu"),
        resolved=ResolvedModel(
            backend="b",
            model=ModelInfo(id="m", kind=Kind.TTS),
            provider=ProviderManifest(name="p", distribution="p", version="1"),
        ),
        changed=lambda changed: told.append(changed.state),
    )
    return made, told


def moved(model: ModelInstance, state: ModelState) -> bool:
    try:
        model.move_to(state)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    "way",
    [
        (S.DOWNLOADING, S.DOWNLOADED, S.LOADING, S.LOADED, S.DRAINING, S.DOWNLOADED),
        (S.LOADING, S.LOADED, S.FAILED, S.LOADING),
        (S.DOWNLOADING, S.AVAILABLE),
        (S.LOADING, S.LOADED, S.DRAINING, S.LOADED),
    ],
)
def test_a_life(way: tuple[ModelState, ...]) -> None:
    model, told = instance()
    for state in way:
        model.move_to(state)
    assert told == list(way)


@given(st.lists(st.sampled_from(list(ModelState)), max_size=30))
def test_memory_is_taken_and_left_only_by_way_of_loading(wanted: list[ModelState]) -> None:
    model, told = instance()
    before = model.state
    for state in wanted:
        if not moved(model, state):
            assert model.state is before
            continue
        if state is S.LOADED:
            assert before in OCCUPYING
        if state is S.DRAINING:
            assert before in (S.LOADED, S.DRAINING)
        if before is S.LOADED and state in AT_REST:
            assert state is S.FAILED
        assert state is not S.PROVIDER_MISSING
        assert model.settled.is_set() == (state is not S.DRAINING)
        assert told[-1] is model.state is state
        before = state


def test_nobody_sets_the_state_another_way() -> None:
    model, _ = instance()
    with pytest.raises(AttributeError):
        model.state = S.LOADED  # type: ignore[misc]
