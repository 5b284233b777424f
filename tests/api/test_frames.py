"""The frames of the stream."""

import msgspec
import pytest

from api import frames
from api.formats import Format, Frame
from api.frames import Ask, Code, Policy, Subscribe, Unsubscribe
from market.channels import Family
from market.errors import RefusedRequestError
from market.publications import Latest, Publication

CHANNEL = '"signals:kraken:SOL/USD"'


def test_a_subscribe_frame_is_read_whole() -> None:
    text = (
        '{"op":"subscribe","id":1,"epoch":"k3","channels":[{"channel":"signals:kraken:SOL/USD","after":41,'
        '"policy":"lossless"},{"channel":"quotes:kraken:*","policy":"latest","max_rate_ms":250},'
        '{"channel":"bars:*:*","after":{"bars:kraken:SOL/USD":7}}]}'
    )
    expected = Subscribe(
        [
            Ask("signals:kraken:SOL/USD", after=41, policy=Policy.LOSSLESS),
            Ask("quotes:kraken:*", policy=Policy.LATEST, max_rate_ms=250),
            Ask("bars:*:*", after={"bars:kraken:SOL/USD": 7}),
        ],
        id=1,
        epoch="k3",
    )
    assert expected == frames.decode(text)


def test_fields_that_are_unknown_are_ignored() -> None:
    frame = frames.decode('{"op":"unsubscribe","id":"a","channels":["x"],"later":true}')
    assert Unsubscribe(["x"], id="a") == frame


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", Code.NOT_JSON),
        ("{", Code.NOT_JSON),
        ('"\ud800"', Code.NOT_JSON),
        ('{"op":"subscribe","channels":' + "[" * 100_000, Code.MALFORMED),
        ('{"op":"subscribe","more":' + "[" * 100_000, Code.NOT_JSON),
        (b"{}", Code.NOT_JSON),
        ("[]", Code.MALFORMED),
        ('{"op":"dance"}', Code.MALFORMED),
        ('{"op":"subscribe"}', Code.MALFORMED),
        ('{"op":"subscribe","channels":[{"channel":"x","after":-1}]}', Code.MALFORMED),
        ('{"op":"subscribe","channels":[{"channel":"x","policy":"some"}]}', Code.MALFORMED),
        (f'{{"op":"subscribe","channels":[{{"channel":"x","after":{2**63}}}]}}', Code.MALFORMED),
        (f'{{"op":"subscribe","channels":[{{"channel":"x","max_rate_ms":1{"0" * 400}}}]}}', Code.MALFORMED),
    ],
)
def test_what_is_no_frame_is_refused_by_number(text: str | bytes, code: Code) -> None:
    with pytest.raises(RefusedRequestError) as refused:
        frames.decode(text)
    assert code == refused.value.code


@pytest.mark.parametrize(("text", "found"), [('{"op":"dance","id":7}', 7), ('{"id":[]}', None), ("{", None)])
def test_the_id_of_a_malformed_frame_is_given_back_when_there_is_one(text: str, found: int | None) -> None:
    assert found == frames.id_of(text)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"", Code.NOT_MSGPACK),
        (b"\xc1", Code.NOT_MSGPACK),
        (b"\x91" * 100_000, Code.MALFORMED),
        (b"\x81\xa1x" + b"\x91" * 100_000, Code.NOT_MSGPACK),
        ("{}", Code.NOT_MSGPACK),
        (msgspec.msgpack.encode({"op": "dance"}), Code.MALFORMED),
        (msgspec.msgpack.encode({"op": "subscribe", "channels": [{"channel": 1}]}), Code.MALFORMED),
    ],
)
def test_what_is_no_frame_in_messagepack_is_refused_by_number(said: str | bytes, code: Code) -> None:
    with pytest.raises(RefusedRequestError) as refused:
        frames.decode(said, Format.MSGPACK)
    assert code == refused.value.code


def test_the_id_of_a_malformed_frame_in_messagepack_is_given_back_when_there_is_one() -> None:
    found = [frames.id_of(said) for said in (msgspec.msgpack.encode({"op": "dance", "id": 7}), b"\xc1")]
    assert [7, None] == found


def text_of(frame: Frame) -> str:
    """Return the payload of a short frame."""
    head = 2 if frame.wire(Format.JSON)[1] < 126 else 4
    return frame.wire(Format.JSON)[head:].decode()


def test_the_data_of_a_publication_is_sent_to_the_byte() -> None:
    publication = Publication(7, Family.SIGNALS, 42, "signal", '{"a": 1.50}', 0)
    expected = f'{{"op":"signal","channel":{CHANNEL},"offset":42,"data":{{"a": 1.50}}}}'
    assert expected == text_of(frames.publication_frame(CHANNEL, publication))


def test_a_correction_says_what_it_revises() -> None:
    publication = Publication(7, Family.SIGNALS, 58, "correction", "null", 0, revises=31)
    expected = f'{{"op":"correction","channel":{CHANNEL},"offset":58,"revises":31,"data":null}}'
    assert expected == text_of(frames.publication_frame(CHANNEL, publication))


def test_a_latest_value_says_for_how_many_it_stands() -> None:
    latest = Latest(7, Family.QUOTES, 5, 6, 3, '{"bid_price":1}')
    expected = f'{{"op":"quote","channel":{CHANNEL},"conflated":12,"data":{{"bid_price":1}}}}'
    assert expected == text_of(frames.latest_frame(CHANNEL, latest, 12))


def test_only_the_errors_from_1100_on_are_fatal() -> None:
    assert [Code.BAD_SUBPROTOCOL] == [code for code in Code if code.fatal]
