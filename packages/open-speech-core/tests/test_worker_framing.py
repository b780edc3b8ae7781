"""Frames are read as they were written, and anything else is refused."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech import Audio, Partial, SpeechRequest, TranscriptionRequest
from open_speech._worker.framing import (
    MAX_BODY,
    MAX_HEADER,
    PREFIX,
    ProtocolError,
    decode,
    encode,
    lengths,
    read_async,
    read_blocking,
)
from open_speech._worker.protocol import Call, Cancel, End, Failed, FromWorker, Item, More, ToWorker
from open_speech._worker.serialization import Payload, UnknownValue

numbers = st.integers(0, 2**31)
texts = st.text(max_size=50)
messages = st.one_of(
    st.builds(More, call=numbers, items=numbers),
    st.builds(Cancel, call=numbers),
)


def flat(message: object) -> bytes:
    return b"".join(bytes(piece) for piece in encode(message))


def split(frame: bytes) -> tuple[bytes, bytes]:
    header, body = lengths(frame[: PREFIX.size])
    text = frame[PREFIX.size : PREFIX.size + header]
    assert len(frame) == PREFIX.size + header + body
    return text, frame[PREFIX.size + header :]


@given(messages)
def test_a_message_is_read_as_it_was_written(message):
    assert decode(ToWorker, *split(flat(message))) == message


@given(st.builds(SpeechRequest, text=texts, voice=texts))
def test_a_payload_is_read_by_whoever_knows_its_type(request):
    call = decode(ToWorker, *split(flat(Call(call=1, operation="any", request=Payload(request)))))
    assert call.request.read((TranscriptionRequest, SpeechRequest)) == request
    with pytest.raises(UnknownValue, match="SpeechRequest"):
        call.request.read((TranscriptionRequest,))


@given(st.text(st.characters(), max_size=40))
def test_any_text_crosses_lone_surrogates_included(text):
    message = decode(FromWorker, *split(flat(Item(call=1, value=Payload(Partial(text=text))))))
    assert message.value.read((Partial,)) == Partial(text=text)


def test_audio_is_sent_without_a_copy():
    samples = np.zeros(1000, np.float32)
    request = TranscriptionRequest(audio=Audio(samples=samples, sample_rate=16_000))
    pieces = encode(Call(call=1, operation="transcribe", request=Payload(request)))
    assert np.shares_memory(np.frombuffer(pieces[1], np.float32), samples)


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_bytes_that_are_no_message_are_a_protocol_error(header, body):
    with pytest.raises(ProtocolError):
        decode(FromWorker, header, body)


@given(st.data())
def test_a_damaged_frame_is_a_protocol_error_or_another_message(data):
    text, body = split(flat(Failed(call=3, error="Busy", message="wait")))
    position = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:position] + data.draw(st.binary(min_size=1, max_size=1)) + text[position + 1 :]
    with suppress(ProtocolError):
        assert isinstance(decode(FromWorker, damaged, body), Failed)


@pytest.mark.parametrize("sizes", [(MAX_HEADER + 1, 0), (0, MAX_BODY + 1)])
def test_a_frame_of_absurd_length_is_refused_before_it_is_read(sizes):
    with pytest.raises(ProtocolError):
        lengths(PREFIX.pack(*sizes))


def test_blocking_and_asynchronous_reading_agree():
    samples = np.linspace(-1, 1, 200_000, dtype=np.float32)
    sent: list[object] = [
        End(call=1),
        Item(call=2, value=Payload(Audio(samples=samples, sample_rate=24_000))),
        Item(call=2, value=Payload(Partial(text="é"))),
    ]

    def write(connection: socket.socket) -> None:
        with connection:
            for message in sent:
                for piece in encode(message):
                    connection.sendall(piece)

    def blocking() -> list[FromWorker]:
        near, far = socket.socketpair()
        threading.Thread(target=write, args=(far,)).start()
        found: list[FromWorker] = []
        with near:
            while True:
                try:
                    found.append(read_blocking(near, FromWorker))
                except EOFError:
                    return found

    async def asynchronous() -> list[FromWorker]:
        near, far = socket.socketpair()
        threading.Thread(target=write, args=(far,)).start()
        reader, writer = await asyncio.open_connection(sock=near)
        found: list[FromWorker] = []
        try:
            while True:
                found.append(await read_async(reader, FromWorker))
        except asyncio.IncompleteReadError:
            writer.close()
            await writer.wait_closed()
        return found

    for found in (blocking(), asyncio.run(asynchronous())):
        assert [type(message) for message in found] == [type(message) for message in sent]
        assert isinstance(found[1], Item)
        np.testing.assert_array_equal(found[1].value.read((Audio,)).samples, samples)


def test_a_message_for_the_other_side_is_refused():
    text, body = split(flat(End(call=1)))
    with pytest.raises(ProtocolError):
        decode(ToWorker, text, body)
