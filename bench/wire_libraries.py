"""Round trips to a worker process: our frames against libraries that do the same.

Each contender starts a worker, echoes a tiny message and 60 seconds of sound (float32 at 16 kHz,
3.84 MB) through it, and checks that the bytes came back unchanged. The near side is asyncio
everywhere, as in a server: libraries with a blocking near side are called in a thread.

    pip install open-speech-core appose==0.12.0 execnet==2.1.2 pyzmq
    python bench/wire_libraries.py [--rounds 500] [--repeats 3] [--only NAME ...]

A contender whose library is missing is left out. Each figure is the best of the repeats, since
whatever else the machine does only adds to it. POSIX only (socket pairs are inherited).
"""

# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "appose==0.12.0",
#     "execnet==2.1.2",
#     "open-speech-core",
#     "pyzmq>=27",
# ]
# ///

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from multiprocessing import connection as mp_connection
from typing import Any

SECONDS, RATE = 60, 16000
TINY = b"hello"
PREFIX = struct.Struct("!II")


class Contender(ABC):
    """One way to talk to a worker."""

    name: str
    needs: tuple[str, ...] = ()

    async def measure(self, rounds: int) -> tuple[float, float, float, float]:
        """Return milliseconds: start to first answer, tiny median and 90th percentile, sound."""
        sound = memoryview(os.urandom(SECONDS * RATE * 4))
        began = time.perf_counter()
        await self._start()
        assert bytes(await self._echo(memoryview(TINY))) == TINY
        first = time.perf_counter() - began
        tiny = [await self._timed(memoryview(TINY)) for _ in range(rounds)]
        large = [await self._timed(sound) for _ in range(max(rounds // 20, 3))]
        await self._stop()
        # Medians: the first rounds pay for memory that later ones reuse.
        middle, high = statistics.median(tiny), statistics.quantiles(tiny, n=10)[8]
        return 1000 * first, 1000 * middle, 1000 * high, 1000 * statistics.median(large)

    async def _timed(self, data: memoryview) -> float:
        began = time.perf_counter()
        back = await self._echo(data)
        took = time.perf_counter() - began
        assert memoryview(back).cast("B") == data, self.name
        return took

    @abstractmethod
    async def _start(self) -> None:
        """Start the worker."""

    @abstractmethod
    async def _echo(self, data: memoryview) -> Any:
        """Send bytes there and return what comes back, something with the buffer interface."""

    @abstractmethod
    async def _stop(self) -> None:
        """End the worker."""


class Piped(Contender):
    """Common to those whose worker is this very file with an inherited socket."""

    worker: subprocess.Popen[bytes]

    def spawn(self) -> socket.socket:
        """Start the worker and return the near end of its socket."""
        near, far = socket.socketpair()
        with far:
            self.worker = subprocess.Popen(
                [sys.executable, __file__, "--far", self.name, str(far.fileno())],
                pass_fds=(far.fileno(),),
            )
        return near

    async def _stop(self) -> None:
        await asyncio.to_thread(self.worker.wait)


class Streamed(Piped):
    """Those that read the socket with asyncio's streams."""

    async def _start(self) -> None:
        near = self.spawn()
        near.setblocking(False)
        self._reader, self._writer = await asyncio.open_connection(sock=near, limit=1 << 20)

    async def _stop(self) -> None:
        self._writer.close()
        await super()._stop()


class BareFrames(Streamed):
    """Length-prefixed frames with a JSON header: the least that can be done."""

    name = "bare frames"

    async def _echo(self, data: memoryview) -> bytes:
        header = json.dumps({"call": 1}).encode()
        self._writer.writelines([PREFIX.pack(len(header), data.nbytes) + header, data])
        await self._writer.drain()
        size, body = PREFIX.unpack(await self._reader.readexactly(PREFIX.size))
        json.loads(await self._reader.readexactly(size))
        return await self._reader.readexactly(body)


class OurWire(Streamed):
    """``open_speech._worker.framing``: the same with typed messages and arrays."""

    name = "open_speech._worker.framing"
    needs = ("open_speech",)

    async def _echo(self, data: memoryview) -> Any:
        import numpy as np

        from open_speech import Audio, TranscriptionRequest
        from open_speech._worker import framing
        from open_speech._worker.protocol import Call, FromWorker, Item
        from open_speech._worker.serialization import Payload

        samples: Any = np.frombuffer(data, np.uint8)  # the tiny message is no whole float32
        request = TranscriptionRequest(audio=Audio(samples=samples, sample_rate=RATE))
        self._writer.writelines(
            framing.encode(Call(call=1, operation="transcribe", request=Payload(request)))
        )
        await self._writer.drain()
        answer: Any = await framing.read_async(self._reader, FromWorker)
        assert isinstance(answer, Item)
        heard: Audio = answer.value.read((Audio,))
        return heard.samples.data


class MultiprocessingConnection(Piped):
    """``multiprocessing.connection`` over the same socket: bytes, blocking."""

    name = "multiprocessing.connection"

    async def _start(self) -> None:
        self._near = mp_connection.Connection(self.spawn().detach())

    def _swap(self, data: memoryview) -> bytes:
        self._near.send_bytes(data)
        return self._near.recv_bytes()

    async def _echo(self, data: memoryview) -> bytes:
        return await asyncio.to_thread(self._swap, data)

    async def _stop(self) -> None:
        self._near.close()
        await super()._stop()


class Zmq(Contender):
    """pyzmq: two PAIR sockets on a file in a temporary folder, asyncio on the near side."""

    name = "pyzmq"
    needs = ("zmq",)

    async def _start(self) -> None:
        import zmq.asyncio

        self._folder = tempfile.TemporaryDirectory()
        address = f"ipc://{self._folder.name}/socket"
        self._context = zmq.asyncio.Context()
        self._near = self._context.socket(zmq.PAIR)
        self._near.bind(address)
        arguments = [sys.executable, __file__, "--far", self.name, address]
        self._worker = await asyncio.to_thread(subprocess.Popen, arguments)

    async def _echo(self, data: memoryview) -> Any:
        await self._near.send(data, copy=False)
        return (await self._near.recv(copy=False)).buffer

    async def _stop(self) -> None:
        await self._near.send(b"")
        await asyncio.to_thread(self._worker.wait)
        self._context.destroy(linger=0)
        self._folder.cleanup()


class Execnet(Contender):
    """execnet: a gateway to an interpreter, a channel to code sent there."""

    name = "execnet"
    needs = ("execnet",)

    async def _start(self) -> None:
        import execnet

        code = "for data in channel:\n    channel.send(data)\n"
        self._gateway = execnet.makegateway(f"popen//python={sys.executable}")
        self._channel = self._gateway.remote_exec(code)

    def _swap(self, data: memoryview) -> Any:
        self._channel.send(bytes(data))
        return self._channel.receive()

    async def _echo(self, data: memoryview) -> Any:
        return await asyncio.to_thread(self._swap, data)

    async def _stop(self) -> None:
        self._gateway.exit()
        await asyncio.to_thread(self._gateway.join)


class Appose(Contender):
    """appose: JSON lines on standard streams, sound in shared memory."""

    name = "appose"
    needs = ("appose",)
    script = (
        "import numpy as np\n"
        "got = sound.ndarray()\n"
        "back = appose.NDArray('uint8', list(got.shape))\n"
        "back.ndarray()[:] = got\n"
        "task.outputs['back'] = back\n"
    )

    async def _start(self) -> None:
        import appose

        self._service = appose.system().service(
            [sys.executable], "-c", "import appose.python_worker as w; w.main()"
        )
        self._service.init("import appose, numpy\n")
        self._service.syntax("python")

    def _swap(self, data: memoryview) -> bytes:
        import appose
        import numpy as np

        if data.nbytes <= len(TINY):
            task = self._service.task("text", {"text": bytes(data).decode()})
            return str(task.wait_for().result()).encode()
        with appose.NDArray("uint8", [data.nbytes]) as sound:
            sound.ndarray()[:] = np.frombuffer(data, np.uint8)
            task = self._service.task("import appose\n" + self.script, {"sound": sound})
            back = task.wait_for().outputs["back"]
            result: bytes = back.ndarray().tobytes()
            back.shm.unlink()
        return result

    async def _echo(self, data: memoryview) -> bytes:
        return await asyncio.to_thread(self._swap, data)

    async def _stop(self) -> None:
        self._service.close()
        await asyncio.to_thread(self._service.wait_for)


CONTENDERS: tuple[type[Contender], ...] = (
    BareFrames, OurWire, MultiprocessingConnection, Zmq, Execnet, Appose,
)  # fmt: skip


def import_ms(modules: str) -> float:
    """Return the milliseconds that importing takes in a fresh interpreter, best of 15."""
    code = (
        "import time; began = time.perf_counter()\n"
        f"import {modules}\n"
        "print(time.perf_counter() - began)"
    )
    runs = [subprocess.check_output([sys.executable, "-c", code]) for _ in range(15)]
    return 1000 * min(float(run) for run in runs)


def far(name: str, address: str) -> None:
    """Be the worker of one contender until the near side hangs up."""
    if name == Zmq.name:
        far_zmq(address)
        return
    sock = socket.socket(fileno=int(address))
    loop = {
        BareFrames.name: far_frames,
        OurWire.name: far_wire,
        MultiprocessingConnection.name: far_connection,
    }[name]
    worker = threading.Thread(target=loop, args=(sock,))  # as in the real worker
    worker.start()
    worker.join()


def far_frames(sock: socket.socket) -> None:
    """Echo frames."""

    def receive(size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view and (count := sock.recv_into(view)):
            view = view[count:]
        return data[: len(data) - len(view)]

    while len(prefix := receive(PREFIX.size)) == PREFIX.size:
        size, body = PREFIX.unpack(prefix)
        header, data = json.loads(receive(size)), receive(body)
        text = json.dumps(header).encode()
        sock.sendall(PREFIX.pack(len(text), body) + text)
        sock.sendall(data)


def far_wire(sock: socket.socket) -> None:
    """Echo sound in our own messages."""
    from open_speech import TranscriptionRequest
    from open_speech._worker import framing
    from open_speech._worker.protocol import Call, Item, ToWorker
    from open_speech._worker.serialization import Payload

    try:
        while True:
            call: Any = framing.read_blocking(sock, ToWorker)
            assert isinstance(call, Call)
            request: TranscriptionRequest = call.request.read((TranscriptionRequest,))
            for piece in framing.encode(Item(call=call.call, value=Payload(request.audio))):
                sock.sendall(piece)
    except EOFError:
        pass


def far_connection(sock: socket.socket) -> None:
    """Echo messages of ``multiprocessing.connection``."""
    pipe = mp_connection.Connection(sock.detach())
    try:
        while True:
            pipe.send_bytes(pipe.recv_bytes())
    except EOFError:
        pass


def far_zmq(address: str) -> None:
    """Echo messages until an empty one."""
    import zmq

    with zmq.Context() as context, context.socket(zmq.PAIR) as pair:
        pair.connect(address)
        while len(frame := pair.recv(copy=False)):
            pair.send(frame, copy=False)


def main() -> None:
    """Measure every contender whose library is here and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--far", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.far:
        far(*options.far)
        return
    print("| | import ms | first answer ms | tiny ms | tiny p90 ms | 3.84 MB ms |")
    print("|---|---:|---:|---:|---:|---:|")
    for kind in CONTENDERS:
        if any(importlib.util.find_spec(need) is None for need in kind.needs):
            continue
        if options.only and kind.name not in options.only:
            continue
        modules = {
            BareFrames.name: "socket, struct, json",
            Zmq.name: "zmq",
            OurWire.name: "open_speech._worker.framing, open_speech._worker.protocol",
        }
        imported = import_ms(modules.get(kind.name, kind.name))
        runs = [asyncio.run(kind().measure(options.rounds)) for _ in range(options.repeats)]
        figures = [min(values) for values in zip(*runs, strict=True)]
        print(f"| {kind.name} | {imported:.0f} | " + " | ".join(f"{x:.2f}" for x in figures) + " |")


if __name__ == "__main__":
    main()
