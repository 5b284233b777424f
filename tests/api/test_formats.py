"""The formats of the stream: one meaning, encoded once."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode
from websockets.protocol import CLIENT, Protocol

from api import formats
from api.formats import Format, Frame
from api.frames import CaughtUp, Subscribed
from api.frames import Result as Outcome
from market.times import to_iso

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def received(wired: bytes) -> object:
    """Return what a client reads of one frame on the wire."""
    protocol = Protocol(CLIENT, max_size=None)
    protocol.receive_data(wired)
    [frame] = protocol.events_received()
    assert isinstance(frame, WireFrame)
    assert frame.fin
    decode = msgspec.json.decode if frame.opcode is Opcode.TEXT else msgspec.msgpack.decode
    value: object = decode(bytes(frame.data))
    return value


@pytest.mark.slow
@given(st.dictionaries(st.text(), values))
def test_both_formats_say_the_same(frame: dict[str, Any]) -> None:
    text = msgspec.json.encode(frame)
    shared = Frame(text)
    assert msgspec.json.decode(text) == received(shared.wire(Format.JSON))
    assert msgspec.json.decode(text) == received(shared.wire(Format.MSGPACK))


@pytest.mark.parametrize("length", [1, 125, 126, 127, 65_535, 65_536, 100_000])
def test_frames_of_every_length_are_read(length: int) -> None:
    text = b'"' + b"x" * length + b'"'
    frame = Frame(text)
    assert ["x" * length] * 2 == [received(frame.wire(format_)) for format_ in Format]


def test_a_frame_is_encoded_once_a_format() -> None:
    frame = Frame(b'{"op":"signal"}')
    for format_ in Format:
        assert frame.wire(format_) is frame.wire(format_)


@pytest.mark.parametrize("format_", list(Format))
def test_a_timed_frame_says_besides_when_it_was_heard_and_sent(format_: Format) -> None:
    frame = Frame(b'{"op":"signal","data":{"n":1}}')
    said = received(frame.timed(format_, frame.heard_at + 1_500))
    heard_at, sent_at = to_iso(frame.heard_at), to_iso(frame.heard_at + 1_500)
    assert {"op": "signal", "data": {"n": 1}, "heard_at": heard_at, "sent_at": sent_at} == said


@pytest.mark.parametrize("format_", list(Format))
def test_answers_are_in_the_format_of_who_asked(format_: Format) -> None:
    answer = Subscribed(1, "k3", [Outcome("signals:kraken:SOL/USD", 57, recovered=True)])
    expected = msgspec.json.decode(msgspec.json.encode(answer))
    assert expected == received(formats.wire(answer, format_))
    caught_up = {"op": "caught_up", "channel": "x", "offset": 1}
    assert caught_up == received(formats.wire(CaughtUp("x", 1), format_))
