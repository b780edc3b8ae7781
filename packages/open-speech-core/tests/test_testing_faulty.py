"""The faulty provider fails as it is told, and works when it is not told to fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from open_speech._operations import SYNTHESIZE
from open_speech._plugins.backends import LoadContext, STTModel, TTSModel
from open_speech._types.speech import SpeechRequest
from open_speech._types.transcription import TranscriptionRequest
from open_speech.errors import InvalidResult
from open_speech.testing import sine
from open_speech.testing.faulty import (
    DIARIZATION_FAULTS,
    EMBEDDING_FAULTS,
    HEARING_FAULTS,
    LOAD_FAULTS,
    SPEECH_FAULTS,
    FaultyHearingBackend,
    FaultySpeechBackend,
    open_speech_backends,
)

Options = Mapping[str, str | int | float | bool]


def load(model_id: str = "faulty/any", **options: Any) -> TTSModel:
    backend = FaultySpeechBackend()
    info = next(model for model in backend.list_available() if model.id == model_id)
    return backend.load(info, LoadContext(options=options))


def load_ear(model_id: str = "faulty/hear", **options: Any) -> STTModel:
    backend = FaultyHearingBackend()
    info = next(model for model in backend.list_available() if model.id == model_id)
    return backend.load(info, LoadContext(options=options))


def request(text: str = "hello", **options: Any) -> SpeechRequest:
    return SpeechRequest(text=text, voice="any", options=options)


def recording(**options: Any) -> TranscriptionRequest:
    return TranscriptionRequest(audio=sine(0.5), options=options)


def in_child(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run faults that end or disturb a process where they may."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


SPEAK = """
from open_speech._plugins.backends import LoadContext
from open_speech._types.speech import SpeechRequest
from open_speech.testing.faulty import FaultySpeechBackend
backend = FaultySpeechBackend()
model = backend.load(backend.list_available()[0], LoadContext())
print(len(list(model.synthesize(SpeechRequest(text="{text}", voice="any")))), "chunks")
"""


def test_every_fault_has_a_model() -> None:
    listed = {model.id for backend in open_speech_backends() for model in backend.list_available()}
    expected = {"any", "hear", "diarize", *SPEECH_FAULTS, *LOAD_FAULTS}
    expected |= {f"hear-{fault}" for fault in HEARING_FAULTS}
    expected |= {f"diarize-{fault}" for fault in DIARIZATION_FAULTS}
    expected |= {f"embed-{fault}" for fault in EMBEDDING_FAULTS}
    assert listed == {f"faulty/{name}" for name in expected}


def test_without_a_fault_it_works() -> None:
    assert len(list(load().synthesize(request()))) == 3
    assert len(list(load_ear().transcribe(recording()))) == 3


@pytest.mark.parametrize("how", ["model", "text", "request", "load", "environment"])
def test_a_fault_can_be_named_in_many_ways(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load("faulty/raise") if how == "model" else load()
    asked = request()
    if how == "text":
        asked = request("fault:raise")
    elif how == "request":
        asked = request(fault="raise")
    elif how == "load":
        model = load(fault="raise")
    elif how == "environment":
        monkeypatch.setenv("OPEN_SPEECH_FAULTY_FAULT", "raise")
    with pytest.raises(RuntimeError, match="the engine failed"):
        list(model.synthesize(asked))


def test_a_fault_strikes_after_good_results() -> None:
    results = load("faulty/raise").synthesize(request(after=2))
    assert [next(results).seconds for _ in range(2)] == [0.1, 0.1]
    with pytest.raises(RuntimeError):
        next(results)


def test_memory_errors_are_raised() -> None:
    with pytest.raises(MemoryError):
        list(load("faulty/memory-error").synthesize(request()))
    with pytest.raises(MemoryError):
        load("faulty/load-memory-error")
    with pytest.raises(MemoryError):
        list(load_ear("faulty/hear-memory-error").transcribe(recording()))


@pytest.mark.parametrize(
    ("fault", "status"),
    [("segfault", -signal.SIGSEGV), ("exit", 3), ("kill", -signal.SIGKILL), ("abort", -6)],
)
def test_deadly_faults_end_the_process(fault: str, status: int) -> None:
    assert in_child(SPEAK.format(text=f"fault:{fault}")).returncode == status


@pytest.mark.parametrize("fault", ["hang", "hang-native", "hang-gil", "spin"])
def test_hanging_faults_do_not_return(fault: str) -> None:
    options = {"after": "1", "record": "/dev/stdout"}
    environment = {f"OPEN_SPEECH_FAULTY_{key.upper()}": value for key, value in options.items()}
    with subprocess.Popen(
        [sys.executable, "-c", SPEAK.format(text=f"fault:{fault}")],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert [child.stdout.readline() for _ in range(2)] == [b"load\n", b"step 0\n"]
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.3)
        child.kill()
        assert child.stdout.read() == b""


def test_shouting_reaches_both_streams() -> None:
    done = in_child(SPEAK.format(text="fault:shout"))
    for stream in (done.stdout, done.stderr):
        assert "noise from print" in stream
        assert "noise from write" in stream
    assert "0 chunks" in done.stdout


def test_disturbing_changes_the_process() -> None:
    code = SPEAK.format(text="fault:disturb") + (
        "import os, signal, threading\n"
        "print(os.getcwd(), os.environ['OMP_NUM_THREADS'], repr(signal.getsignal(signal.SIGTERM)),"
        " threading.active_count())"
    )
    done = in_child(code)
    assert done.stdout.splitlines()[-1].startswith("/ 97 "), done.stderr
    assert "SIG_IGN" in done.stdout


def test_leaked_memory_stays() -> None:
    code = (
        "import psutil\n"
        + SPEAK.format(text="fault:leak")
        + "print(psutil.Process().memory_info().rss // 1024)"
    )
    small, large = (
        int(in_child(code, OPEN_SPEECH_FAULTY_MEGABYTES=size).stdout.split()[-1])
        for size in ("1", "101")
    )
    assert large - small > 60_000


def test_loading_fails_so_many_times_and_then_works(tmp_path: Path) -> None:
    options: dict[str, Any] = {"state": str(tmp_path / "state"), "times": 2}
    for attempt in ("1", "2"):
        with pytest.raises(RuntimeError, match=attempt):
            load("faulty/load-fails-first", **options)
    assert list(load("faulty/load-fails-first", **options).synthesize(request()))


def test_loading_can_fail_by_option() -> None:
    with pytest.raises(RuntimeError):
        load(load_fault="load-raise")
    assert load("faulty/load-wrong-type") == "not a model"  # type: ignore[comparison-overlap]


def test_steps_and_endings_are_recorded(tmp_path: Path) -> None:
    record = tmp_path / "record"
    model = load(record=str(record))
    results = model.synthesize(request(steps=5))
    next(results)
    next(results)
    results.close()  # type: ignore[attr-defined]
    model.close()
    assert record.read_text().split("\n") == ["load", "step 0", "step 1", "finally", "close", ""]


def test_a_gate_holds_each_step(tmp_path: Path) -> None:
    gate, record = tmp_path / "gate", tmp_path / "record"
    os.mkfifo(gate)
    os.mkfifo(record)
    options = {"gate": str(gate), "record": str(record), "steps": "2"}
    environment = {f"OPEN_SPEECH_FAULTY_{key.upper()}": value for key, value in options.items()}
    # Opened for both, so that neither side waits for the other to open it.
    with gate.open("r+b", buffering=0) as gates, record.open("r+b", buffering=0) as records:
        child = subprocess.Popen(
            [sys.executable, "-c", SPEAK.format(text="hello")], env={**os.environ, **environment}
        )
        assert records.readline() == b"load\n"
        for step in range(2):
            gates.write(b".")
            assert records.readline() == b"step %d\n" % step
        assert records.readline() == b"finally\n"
        assert child.wait() == 0


def test_what_is_no_iterator_is_returned_as_it_is() -> None:
    with pytest.raises(InvalidResult):
        list(SYNTHESIZE.carry_out(load("faulty/not-an-iterator"), request()))
