"""Hostile input, over real sockets: each gets what docs/safety.md says, and others are served on."""

import asyncio
import gzip
import re
import select
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr
from websockets.exceptions import ConnectionClosed

from api.settings import ApiSettings
from tests.api.peers import WITHIN_SECONDS, Served, Worker, serving, until

pytestmark = pytest.mark.slow

SAFETY = Path(__file__).parents[2] / "docs" / "safety.md"
TOKEN = "of the operator"
TRADES = "/v1/trades?exchange=kraken&symbol=SOL/USD"


@pytest.fixture
def settings() -> ApiSettings:
    return ApiSettings(
        port=0,
        operator_token=SecretStr(TOKEN),
        head_within_seconds=0.3,
        body_within_seconds=0.3,
        max_head_bytes=4096,
        max_body_bytes=4096,
        connections_per_address=8,
        stalled_seconds=0.5,
        max_frame_bytes=65_536,
    )


@pytest.fixture
async def victim(settings: ApiSettings, postgres_url: str, redis_url: str) -> AsyncIterator[Served]:
    """An API that somebody else is served by, before and after."""
    async with serving(settings, postgres_url, redis_url) as running:
        yield running
        assert {"status": "ok"} == (await running.http.get("/health/live")).json()


class Line:
    """A bare connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, said: bytes) -> None:
        self.writer.write(said)
        await self.writer.drain()

    async def answer(self) -> tuple[int, dict[str, Any]]:
        """Return status and problem of the answer, after which the connection is closed."""
        async with asyncio.timeout(WITHIN_SECONDS):
            whole = await self.reader.read()
        head, _, body = whole.partition(b"\r\n\r\n")
        assert b"application/problem+json" in head
        return int(head.split(b" ", 2)[1]), msgspec.json.decode(body)


@asynccontextmanager
async def line(served: Served) -> AsyncIterator[Line]:
    host, port = served.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Line(reader, writer)
    finally:
        writer.transport.abort()


async def answered(served: Served, *said: bytes) -> tuple[int, int]:
    """Say something that ends a connection; return the status and number that it got."""
    async with line(served) as one:
        for piece in said:
            await one.say(piece)
        status, problem = await one.answer()
    return status, problem["code"]


def post(*headers: str, body: bytes = b"") -> bytes:
    asked = ("POST /v1/admin/feeds HTTP/1.1", "Host: h", f"Authorization: Bearer {TOKEN}", *headers)
    return "\r\n".join((*asked, "", "")).encode() + body


# Heads.


async def test_a_head_that_never_ends(victim: Served) -> None:
    endless = b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 100) for n in range(64))
    assert (431, 2406) == await answered(victim, endless)


async def test_an_address_that_never_ends(victim: Served) -> None:
    assert (431, 2406) == await answered(victim, b"GET /" + b"a" * 8192)


async def test_a_head_that_comes_too_slowly(victim: Served) -> None:
    assert (408, 2407) == await answered(victim, b"GET / HTTP/1.1\r\n", b"Host: h\r\n")


async def test_a_connection_that_says_nothing(victim: Served) -> None:
    assert (408, 2407) == await answered(victim)


async def test_a_second_head_that_comes_too_slowly(victim: Served) -> None:
    async with line(victim) as one:
        await one.say(b"GET /health/live HTTP/1.1\r\nHost: h\r\n\r\n")
        assert b'{"status":"ok"}' == (await one.reader.readuntil(b"}")).rpartition(b"\r\n\r\n")[2]
        await one.say(b"GET /health/live HTTP/1.1\r\n")
        status, problem = await one.answer()
    assert (408, 2407) == (status, problem["code"])


@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 64,
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["tls", "nul", "version", "length", "smuggled"],
)
async def test_what_is_not_http(victim: Served, said: bytes) -> None:
    assert (400, 2502) == await answered(victim, said)


async def test_more_connections_than_an_address_may_have(victim: Served) -> None:
    await victim.http.get("/health/live")  # keeps one open
    async with (
        line(victim),
        line(victim),
        line(victim),
        line(victim),
        line(victim),
        line(victim),
        line(victim),
    ):
        assert (429, 2402) == await answered(victim)


def gone(client: socket.socket) -> bool:
    """Tell whether the other side has cut the connection; nothing is read from it."""
    poll = select.poll()
    poll.register(client, 0)
    return bool(poll.poll(0))


@contextmanager
def deaf(served: Served) -> Iterator[socket.socket]:
    """A client that takes next to nothing."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect(("127.0.0.1", int(served.url.rpartition(":")[2])))
        yield client


async def test_an_answer_that_is_never_taken(victim: Served) -> None:
    async def ask_for_ever(client: socket.socket) -> None:
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: h\r\n\r\n")
                await victim.http.get("/health/live")

    with deaf(victim) as client, pytest.raises(ConnectionResetError):
        await ask_for_ever(client)


async def test_more_requests_at_once_than_may_wait(victim: Served) -> None:
    with deaf(victim) as client:
        client.sendall(b"GET /health/live HTTP/1.1\r\nHost: h\r\n\r\n" * 1000)
        await until(lambda: gone(client))


# Bodies.


async def test_a_body_that_is_too_large(victim: Served) -> None:
    assert (413, 2403) == await answered(victim, post("Content-Length: 99999999999"))


async def test_a_body_that_does_not_say_how_large_it_is(victim: Served) -> None:
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    assert (413, 2403) == await answered(victim, post("Transfer-Encoding: chunked", body=chunk * 2))


async def test_a_body_that_comes_too_slowly(victim: Served) -> None:
    assert (408, 2404) == await answered(victim, post("Content-Length: 10", body=b"{"))


async def test_a_body_that_is_a_compressed_bomb(victim: Served) -> None:
    bomb = gzip.compress(b" " * 1_000_000)
    packed = post(f"Content-Length: {len(bomb)}", "Content-Encoding: gzip", body=bomb)
    assert (415, 2405) == await answered(victim, packed)


@pytest.mark.parametrize(
    "body", [b'{"exchange":' * 300, b"\xff\xfe", b"nil", b'{"exchange":"kraken","symbols":[]}']
)
async def test_a_body_that_is_not_what_is_asked(victim: Served, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    response = await victim.http.post("/v1/admin/feeds", content=body, headers=headers)
    assert (422, 2001) == (response.status_code, response.json()["code"])


async def test_a_body_that_is_nested_too_deeply(victim: Served) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    response = await victim.http.post("/v1/admin/feeds", content=b"[" * 4000, headers=headers)
    assert (400, 2501) == (response.status_code, response.json()["code"])


# Questions.


@pytest.mark.parametrize(
    "asked",
    [
        "from=0001-01-01T00:00:00Z",
        "to=9999-12-31T23:59:59Z",
        "from=1e400",
        f"from={'9' * 400}",
        "from=2026-11-22T00:00:00Z&to=2026-11-21T00:00:00Z",
        "from=NaN",
        "from=-1",
    ],
)
async def test_an_absurd_range(victim: Served, worker: Worker, asked: str) -> None:
    await worker.instruments("SOL/USD")
    response = await victim.http.get(f"{TRADES}&{asked}")
    assert (422, 2001) == (response.status_code, response.json()["code"])


async def test_all_of_history_at_once(victim: Served, worker: Worker) -> None:
    await worker.instruments("SOL/USD")
    response = await victim.http.get(f"{TRADES}&from=2009-01-01T00:00:00Z&to=2100-01-01T00:00:00Z")
    assert 200 == response.status_code


@pytest.mark.parametrize("limit", ["0", "-1", "5001", "9" * 400, "1e3", ""])
async def test_an_absurd_limit(victim: Served, worker: Worker, limit: str) -> None:
    await worker.instruments("SOL/USD")
    response = await victim.http.get(f"{TRADES}&limit={limit}")
    assert (422, 2001) == (response.status_code, response.json()["code"])


@pytest.mark.parametrize("cursor", ["x", "kwGmdHJhZGVzkgAA", "Ä", "A" * 500, "A" * 501, "%00", "3f////8"])
async def test_a_forged_cursor(victim: Served, worker: Worker, cursor: str) -> None:
    await worker.instruments("SOL/USD")
    response = await victim.http.get(f"{TRADES}&cursor={cursor}")
    assert (422, 2001) == (response.status_code, response.json()["code"])


@pytest.mark.parametrize(
    "exchange", ["%00", "kraken%00", "%F0%9F%92%A9", "%ED%A0%80", "'; DROP TABLE trades; --", "a" * 64]
)
async def test_a_name_that_nobody_has(victim: Served, exchange: str) -> None:
    response = await victim.http.get(f"/v1/trades?exchange={exchange}")
    assert (404, 2002) == (response.status_code, response.json()["code"])


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "::::",
        "kraken:SOL~USD:rsi:1:1e9",
        f"kraken:SOL~USD:rsi:{'9' * 30}:1",
        f"kraken:SOL~USD:rsi:1:{'9' * 30}",
        "kraken:SOL~USD:%00:1:1",
    ],
)
async def test_an_id_that_no_signal_can_have(victim: Served, worker: Worker, name: str) -> None:
    await worker.instruments("SOL/USD")
    response = await victim.http.get(f"/v1/signals/{name}")
    assert (422, 2001) == (response.status_code, response.json()["code"])


@pytest.mark.parametrize(
    "path", ["/web/..%2F..%2Fpyproject.toml", "/web/%2Fetc%2Fpasswd", "/web/..", "/web/%00.js", "//"]
)
async def test_a_path_to_elsewhere(victim: Served, path: str) -> None:
    async with line(victim) as one:
        await one.say(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
        status, problem = await one.answer()
    assert (404, 2501) == (status, problem["code"])


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "PURGE"])
async def test_a_method_that_nothing_here_has(victim: Served, method: str) -> None:
    response = await victim.http.request(method, "/v1/trades")
    assert (405, "GET, HEAD", 2501) == (
        response.status_code,
        response.headers["allow"],
        response.json()["code"],
    )


# The stream.


@asynccontextmanager
async def upgraded(served: Served, *headers: str) -> AsyncIterator[Line]:
    asked = (
        "GET /v1/stream HTTP/1.1",
        "Host: h",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        *headers,
    )
    async with line(served) as one:
        await one.say("\r\n".join((*asked, "", "")).encode())
        head = await one.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101")
        assert b"sec-websocket-extensions" not in head.lower()
        yield one


async def closed_with(one: Line) -> int:
    """Return the code of the close frame that comes."""
    async with asyncio.timeout(WITHIN_SECONDS):
        while True:
            first, length = await one.reader.readexactly(2)
            size = length if length < 126 else struct.unpack("!H", await one.reader.readexactly(2))[0]
            body = await one.reader.readexactly(size)
            if first & 0x0F == 0x8:
                return int.from_bytes(body[:2])


def frame(first: int, payload: bytes, *, masked: bool = True) -> bytes:
    length = len(payload)
    mark = 0x80 if masked else 0
    size = bytes([mark | length]) if length < 126 else bytes([mark | 126]) + struct.pack("!H", length)
    return bytes([first]) + size + (bytes(4) if masked else b"") + payload


async def test_a_frame_that_is_too_large(victim: Served) -> None:
    async with victim.stream() as peer:
        await peer.socket.send("x" * 65_537)
        with pytest.raises(ConnectionClosed) as closed:
            await peer.hear("nothing")
    assert closed.value.rcvd is not None
    assert 1009 == closed.value.rcvd.code


async def test_a_frame_that_says_it_is_larger_than_memory(victim: Served) -> None:
    async with upgraded(victim) as one:
        await one.say(b"\x81\xff" + struct.pack("!Q", 2**62) + bytes(4))
        assert 1009 == await closed_with(one)


async def test_a_message_in_endless_pieces(victim: Served) -> None:
    async with upgraded(victim) as one:
        await one.say(frame(0x01, b"x" * 60_000) + frame(0x00, b"x" * 60_000))
        assert 1009 == await closed_with(one)


async def test_a_frame_that_is_a_compressed_bomb(victim: Served) -> None:
    async with upgraded(victim, "Sec-WebSocket-Extensions: permessage-deflate") as one:
        await one.say(frame(0xC1, b"\xed\xc1\x01\x01\x00\x00\x00\x80"))
        assert 1002 == await closed_with(one)


async def test_a_frame_that_breaks_the_protocol(victim: Served) -> None:
    async with upgraded(victim) as one:
        await one.say(frame(0x81, b"{}", masked=False))
        assert 1002 == await closed_with(one)


async def test_a_text_that_is_none(victim: Served) -> None:
    async with upgraded(victim) as one:
        await one.say(frame(0x81, b"\xff\xfe"))
        assert 1007 == await closed_with(one)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 60_000,
        '{"op":"subscribe","more":' * 2_000,
        '{"op":"subscribe","channels":[{"channel":"x"' + " " * 60_000,
        "\x00",
        '{"op":"fly"}',
        "{}",
    ],
)
async def test_a_frame_that_is_not_what_is_asked(victim: Served, text: str) -> None:
    async with victim.stream() as peer:
        await peer.socket.send(text)
        told = await peer.hear()
        assert ("error", True, False) == (told["op"], told["code"] in (1000, 1001), told["fatal"])
        assert "subscribed" == (await peer.subscribe())["op"]


async def test_ten_thousand_subscriptions(victim: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with victim.stream() as greedy, victim.stream() as modest:
        for at in range(0, 10_000, 500):
            channels = [{"channel": f"trades:kraken:NOT{n}/USD"} for n in range(at, at + 500)]
            await greedy.say(op="subscribe", id=at, channels=channels)
        await modest.subscribe({"channel": "signals:kraken:SOL/USD"})
        await worker.publish(sol, 1)
        assert 1 == (await modest.hear("signal"))["offset"]
        told = [await greedy.hear() for _ in range(20)]
        assert [("error", 1003)] * 20 == [(each["op"], each["code"]) for each in told]


async def test_a_socket_of_a_foreign_page(victim: Served) -> None:
    async with line(victim) as one:
        await one.say(
            b"GET /v1/stream HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"Origin: https://evil.example\r\n\r\n"
        )
        status, problem = await one.answer()
    assert (403, 2204) == (status, problem["code"])


# The table.


def test_the_table_of_hostile_inputs_has_a_row_for_every_test_here() -> None:
    inputs = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", SAFETY.read_text(), re.MULTILINE)
    named = {"test_" + re.sub(r"[^a-z]+", "_", each.lower()) for each in inputs[1:]}
    tests = {name for name in globals() if name.startswith("test_") and "table" not in name}
    assert tests == named
