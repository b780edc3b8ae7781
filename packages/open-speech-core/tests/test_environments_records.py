"""Records of environments, names in requirements, and pip's output as a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech.environments import clean_environ
from open_speech.environments._failures import failure
from open_speech.environments._records import Distribution, Record
from open_speech.environments._requests import make_request


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (
            "WARNING: Retrying (Retry(total=0))\nERROR: No matching distribution found for x",
            "x was not found: the package index could not be reached.",
        ),
        (
            "ERROR: Package 'x' requires a different Python: 3.11.2 not in '>=3.12'",
            "x needs Python >=3.12, this is 3.11.2",
        ),
        ("  ERROR: Failed building wheel for pyaudio", "pyaudio (needed by x) has no ready-made"),
        (
            "ERROR: Could not install packages: [Errno 28] No space left on device",
            "the disk is full",
        ),
        ("error: externally-managed-environment", "the operating system manages"),
        ("ERROR: Something new.\nnote: see above", "Installing x failed: Something new."),
        ("", "pip gave no reason"),
    ],
)
def test_pip_output_becomes_a_sentence(output: str, said: str) -> None:
    error = failure("x", output.splitlines())
    assert said in error.message
    assert error.hint
    assert error.detail == output


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("A.b_c", "a-b-c"),
        ("x==1.0", "x"),
        ("x [fast] >= 2", "x"),
        ("x @ https://example.org/x", "x"),
        ("git+https://example.org/x", None),
        ("/wheels/A_b-1.0-py3-none-any.whl", "a-b"),
        ("/nowhere", None),
    ],
)
def test_name_is_told_from_the_requirement(requirement: str, name: str | None) -> None:
    request = make_request(
        requirement, constraints=(), upgrade=False, progress=None, cancelled=None
    )
    assert request.name == name


@given(st.text() | st.recursive(st.none() | st.text() | st.integers(), lambda s: st.lists(s)
       | st.dictionaries(st.sampled_from(["format", "name", "directory", "base"]), s)
       ).map(json.dumps))  # fmt: skip
def test_damaged_record_is_no_record(text: str) -> None:
    assert Record.from_json(text, Path("a.json")) is None


names = st.dictionaries(st.text(min_size=1), st.text(), max_size=4)


@given(names, names, st.integers(0), st.lists(st.text()))
def test_record_survives_its_file(
    own: dict[str, str], shared: dict[str, str], size: int, base: list[str]
) -> None:
    def listed(versions: dict[str, str]) -> tuple[Distribution, ...]:
        return tuple(Distribution(name=n, version=v) for n, v in sorted(versions.items()))

    record = Record(
        name="x",
        directory="x-0123abcd",
        requirement="x==1",
        distributions=listed(own),
        shared=listed(shared),
        size_bytes=size,
        base=tuple(base),
    )
    assert Record.from_json(record.to_json(), Path("a.json")) == record


def test_record_cannot_point_outside_the_store() -> None:
    record = Record(
        name="x", directory="../x", requirement="x", distributions=(), shared=(), size_bytes=0,
        base=(),
    )  # fmt: skip
    assert Record.from_json(record.to_json(), Path("a.json")) is None


def test_other_interpreters_are_not_misled() -> None:
    environ = {"PYTHONPATH": "/x", "PYTHONHOME": "/y", "PATH": "/bin"}
    assert clean_environ(environ) == {"PATH": "/bin"}
