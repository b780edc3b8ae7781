"""What ``faulty`` can do wrong: each fault is a function that does it."""

from __future__ import annotations

import ctypes
import locale
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._types.audio import Audio, Word
from .._types.speakers import SpeakerEmbedding, SpeakerTurn
from .._types.transcription import DetectedLanguage, Segment
from .sound import sine

Options = Mapping[str, str | int | float | bool]
Results = Iterator[Any]
"""Anything at all: breaking the declared type is the point."""

LONG_S = 3_600
"""Hangs last that long: for ever, as far as a test is concerned."""
_GOOD_S = 0.1
_kept: list[bytearray] = []


def ask(options: Options, name: str, default: str | float) -> str | int | float | bool:
    """Read an option, from the environment where it is not given."""
    found = options.get(name)
    return os.environ.get(f"OPEN_SPEECH_FAULTY_{name.upper()}", default) if found is None else found


def segfault() -> None:
    """Read address 0 in C."""
    ctypes.string_at(0)


def exit_at_once() -> None:
    """End the process as a C library does, without unwinding."""
    os._exit(3)


def kill() -> None:
    """End the process as the kernel's out-of-memory killer does."""
    os.kill(os.getpid(), signal.SIGKILL)


def abort() -> None:
    """End the process as a failed assertion in C does."""
    os.abort()


def exit_politely() -> None:
    """Raise SystemExit, which is no Exception."""
    sys.exit(4)


def hang() -> None:
    """Wait for ever in Python."""
    threading.Event().wait(LONG_S)


def hang_native() -> None:
    """Wait for ever in C, leaving other threads alone."""
    ctypes.CDLL(None).sleep(LONG_S)


def hang_gil() -> None:
    """Wait for ever in C while no other thread can run."""
    ctypes.PyDLL(None).sleep(LONG_S)


def out_of_memory() -> None:
    """Fail as an allocation does."""
    raise MemoryError("cannot allocate 2 TB")


def fail() -> None:
    """Fail as an engine does."""
    raise RuntimeError("the engine failed")


def spin() -> None:
    """Compute for ever."""
    while True:
        sum(range(1000))


def leak(options: Options) -> None:
    """Take memory and keep it."""
    _kept.append(bytearray(os.urandom(1) * (int(ask(options, "megabytes", 64)) << 20)))


def shout() -> None:
    """Write to standard output and error, through Python and past it."""
    for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
        print("noise from print", file=stream, flush=True)
        os.write(number, b"noise from write\n")


def fork() -> None:
    """Start a child that holds our files and outlives us."""
    subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({LONG_S})"], close_fds=False)


def disturb() -> None:
    """Change what belongs to the whole process."""
    os.chdir("/")
    os.environ["OMP_NUM_THREADS"] = "97"
    os.umask(0o777)
    locale.setlocale(locale.LC_ALL, "C")
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=threading.Event().wait, daemon=True).start()


def close_files() -> None:
    """Close every file of the process, sockets of others included."""
    os.closerange(0, 256)


def endless() -> Results:
    """Speak for ever."""
    while True:
        yield sine(1.0)


def endless_empty() -> Results:
    """Say nothing, for ever."""
    while True:
        yield sine(0.0)


def _audio(samples: Any, sample_rate: Any = 16_000, words: Any = ()) -> Audio:
    return Audio(samples=samples, sample_rate=sample_rate, words=words)


def _array(value: float, dtype: Any = np.float32, shape: tuple[int, ...] = (1600,)) -> Any:
    return np.full(shape, value, dtype=dtype)


def _then(act: Callable[[], None]) -> Callable[[Options], Results]:
    """A fault that does something and then behaves, if it is still there."""

    def strike(_: Options) -> Results:
        act()
        yield from ()

    strike.__doc__ = act.__doc__
    return strike


def _gives(make: Callable[[], list[Any]]) -> Callable[[Options], Results]:
    return lambda _: iter(make())


def _leaking(options: Options) -> Results:
    leak(options)
    yield from ()


_WORK: dict[str, Callable[[Options], Results]] = {
    "segfault": _then(segfault),
    "exit": _then(exit_at_once),
    "kill": _then(kill),
    "abort": _then(abort),
    "system-exit": _then(exit_politely),
    "hang": _then(hang),
    "hang-native": _then(hang_native),
    "hang-gil": _then(hang_gil),
    "spin": _then(spin),
    "memory-error": _then(out_of_memory),
    "raise": _then(fail),
    "leak": _leaking,
    "shout": _then(shout),
    "fork": _then(fork),
    "disturb": _then(disturb),
    "close-files": _then(close_files),
    "number": _gives(lambda: [0.5]),
}
"""Faults of work in general."""

SPEECH: dict[str, Callable[[Options], Results]] = {
    **_WORK,
    "endless": lambda _: endless(),
    "endless-empty": lambda _: endless_empty(),
    "nan": _gives(lambda: [_audio(_array(np.nan))]),
    "infinite": _gives(lambda: [_audio(_array(np.inf))]),
    "loud": _gives(lambda: [_audio(_array(20_000.0))]),
    "int16": _gives(lambda: [_audio(_array(1000, np.int16))]),
    "float64": _gives(lambda: [_audio(_array(0.1, np.float64))]),
    "two-dimensional": _gives(lambda: [_audio(_array(0.1, shape=(2, 1600)))]),
    "three-dimensional": _gives(lambda: [_audio(_array(0.1, shape=(1, 2, 1600)))]),
    "list": _gives(lambda: [_audio([0.0, 0.1])]),
    "bytes": _gives(lambda: [b"RIFF"]),
    "rate-zero": _gives(lambda: [_audio(_array(0.1), 0)]),
    "rate-negative": _gives(lambda: [_audio(_array(0.1), -16_000)]),
    "rate-text": _gives(lambda: [_audio(_array(0.1), "16000")]),
    "rate-changes": _gives(lambda: [sine(_GOOD_S), sine(_GOOD_S, sample_rate=24_000)]),
    "negative-times": _gives(
        lambda: [_audio(_array(0.1), words=(Word(text="a", start=-1.0, end=0.1),))]
    ),
    "not-an-iterator": _gives(list),
}
"""What speaking models can do wrong."""

HEARING: dict[str, Callable[[Options], Results]] = {
    **_WORK,
    "endless": lambda _: iter(lambda: Segment(text="again", start=0.0, end=0.1), None),
    "negative-times": _gives(lambda: [Segment(text="a", start=-1.0, end=0.5)]),
    "reversed-times": _gives(lambda: [Segment(text="a", start=0.5, end=0.1)]),
    "nan-times": _gives(lambda: [Segment(text="a", start=float("nan"), end=0.1)]),
    "late-times": _gives(lambda: [Segment(text="a", start=1e6, end=1e6 + 1)]),
    "disordered": _gives(
        lambda: [Segment(text="b", start=9.0, end=9.1), Segment(text="a", start=0.0, end=0.1)]
    ),
    "no-text": _gives(lambda: [Segment(text=None, start=0.0, end=0.1)]),  # type: ignore[arg-type]
    "two-languages": _gives(lambda: [DetectedLanguage(language="en")] * 2),
    "audio": _gives(lambda: [sine(_GOOD_S)]),
}
"""What listening models can do wrong."""


def _turn(start: Any, end: Any, speaker: Any = 0) -> SpeakerTurn:
    return SpeakerTurn(start=start, end=end, speaker=speaker)


DIARIZATION: dict[str, Callable[[Options], Results]] = {
    **_WORK,
    "endless": lambda _: iter(lambda: _turn(0.0, 0.1), None),
    "beyond-the-end": _gives(lambda: [_turn(0.0, 1e6)]),
    "late": _gives(lambda: [_turn(1e6, 1e6 + 1.0)]),
    "negative-times": _gives(lambda: [_turn(-1.0, 0.1)]),
    "reversed-times": _gives(lambda: [_turn(0.1, 0.0)]),
    "nan-times": _gives(lambda: [_turn(float("nan"), 0.1)]),
    "disordered": _gives(lambda: [_turn(2.0, 2.1), _turn(0.0, 0.1)]),
    "speaker-name": _gives(lambda: [_turn(0.0, 0.1, "A")]),
    "speaker-negative": _gives(lambda: [_turn(0.0, 0.1, -1)]),
    "too-many-speakers": _gives(lambda: [_turn(0.0, 0.1, 1_000_000)]),
}
"""What models that tell speakers apart can do wrong."""


def _vector(*numbers: Any) -> SpeakerEmbedding:
    return SpeakerEmbedding(vector=numbers)


EMBEDDING: dict[str, Callable[[Options], Results]] = {
    **_WORK,
    "endless": lambda _: iter(lambda: _vector(0.6, 0.8), None),
    "nan": _gives(lambda: [_vector(float("nan"), 1.0)]),
    "not-normalized": _gives(lambda: [_vector(3.0, 4.0)]),
    "zero": _gives(lambda: [_vector(0.0, 0.0)]),
    "empty": _gives(lambda: [_vector()]),
    "huge": _gives(lambda: [_vector(1.0, *[0.0] * 100_000)]),
    "text": _gives(lambda: [_vector("0.6", "0.8")]),
    "nothing": _gives(list),
    "two": _gives(lambda: [_vector(0.6, 0.8)] * 2),
}
"""What models that describe voices can do wrong."""


def _fails_first(options: Options) -> None:
    """Fail ``times`` times, counted in the file ``state``, then work."""
    state = Path(str(ask(options, "state", "")))
    failed = len(state.read_text()) if state.exists() else 0
    if failed < int(ask(options, "times", 1)):
        state.write_text("x" * (failed + 1))
        raise RuntimeError(f"the engine failed to load for the {failed + 1}. time")


def _waits(options: Options) -> None:
    """Wait until the named pipe ``load_gate`` is opened for writing."""
    with Path(str(ask(options, "load_gate", ""))).open("rb", buffering=0) as pipe:
        pipe.read(1)


def _load(act: Callable[[], None]) -> Callable[[Options], object]:
    return lambda _: act()


LOAD: dict[str, Callable[[Options], object]] = {
    "load-segfault": _load(segfault),
    "load-exit": _load(exit_at_once),
    "load-kill": _load(kill),
    "load-system-exit": _load(exit_politely),
    "load-hang": _load(hang),
    "load-hang-gil": _load(hang_gil),
    "load-memory-error": _load(out_of_memory),
    "load-raise": _load(fail),
    "load-shout": _load(shout),
    "load-fork": _load(fork),
    "load-disturb": _load(disturb),
    "load-close-files": _load(close_files),
    "load-leak": leak,
    "load-wrong-type": lambda _: "not a model",
    "load-fails-first": _fails_first,
    "load-waits": _waits,
}
"""What loading can do wrong. A fault that returns something returns it instead of the model."""
