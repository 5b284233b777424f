import asyncio
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.wire.http import Answer, Request, parsed, read_request


def read(text: bytes) -> list[Request]:
    async def all_requests() -> list[Request]:
        reader = asyncio.StreamReader()
        reader.feed_data(text)
        reader.feed_eof()
        return [request async for request in _requests(reader)]

    return asyncio.run(all_requests())


async def _requests(reader: asyncio.StreamReader):  # type: ignore[no-untyped-def]  # noqa: ANN202
    while request := await read_request(reader):
        yield request


def test_requests_follow_each_other_with_their_bodies() -> None:
    first = b"POST /sim/faults HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
    post, get = read(first + b"GET /sim/status HTTP/1.1\r\n\r\n")
    assert ("POST", "/sim/faults", b"{}") == (post.method, post.target, post.body)
    assert ("GET", {}) == (get.method, get.headers)


@pytest.mark.parametrize(
    "text", [b"", b"\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"HELO you there\r\n\r\n", b"GET /\r\n\r\n"]
)
def test_what_is_no_http_ends_the_connection(text: bytes) -> None:
    assert [] == read(text)


@given(st.binary())
def test_any_bytes_are_a_request_or_none(text: bytes) -> None:
    read(text + b"\r\n\r\n")


def test_a_handshake_asks_for_a_socket() -> None:
    assert parsed(b"GET /ws HTTP/1.1\r\nUpgrade: WebSocket\r\n\r\n").wants_socket
    assert not parsed(b"GET /ws HTTP/1.1\r\n\r\n").wants_socket


def test_an_answer_tells_its_length_and_headers() -> None:
    told = Answer(b"[]", HTTPStatus.IM_A_TEAPOT, {"retry-after": "5"}).encoded()
    head, _, body = told.partition(b"\r\n\r\n")
    assert b"[]" == body
    expected = {b"content-type: application/json", b"content-length: 2", b"retry-after: 5"}
    first, *others = head.split(b"\r\n")
    assert (b"HTTP/1.1 418 I'm a Teapot", expected) == (first, set(others))
