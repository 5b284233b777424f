"""A served API, a subscriber, and a worker, for tests: real sockets, real stores."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect

from api.formats import Format
from api.lifespan import Addresses, composed
from api.serving import Server, bind
from api.settings import ApiSettings
from api.state import State
from bus import publishing
from db.instruments import Listed, register
from db.logins import API, address_of
from ingest.naming import instrument_named
from market.channels import Family
from market.instruments import spot
from market.publications import Publication
from workers.explaining import explain

if TYPE_CHECKING:
    from db.connections import Connection

WITHIN_SECONDS = 20.0
FAR_AWAY = "redis://127.0.0.1:1/0"
"""Nobody listens on port 1: the bus and the cache are down."""


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(WITHIN_SECONDS):
        while not condition():  # noqa: ASYNC110 - nothing sets an event when this comes true
            await asyncio.sleep(0.01)


class Served:
    """A running API."""

    def __init__(self, url: str, state: State) -> None:
        self.url = url
        self.state = state
        self.http = httpx.AsyncClient(base_url=url, timeout=WITHIN_SECONDS)

    def stream(self, query: str = "", **options: Any) -> AbstractAsyncContextManager["Peer"]:
        return subscriber(self.url.replace("http", "ws", 1) + "/v1/stream" + query, **options)

    async def get(self, path: str, **parameters: str | int) -> dict[str, Any]:
        response = await self.http.get(path, params=parameters)
        assert response.is_success, response.text
        answer: dict[str, Any] = response.json()
        return answer


class Peer:
    """A subscriber that says and hears frames."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, **frame: object) -> None:
        packed = str(self.socket.subprotocol) == Format.MSGPACK
        await self.socket.send(
            msgspec.msgpack.encode(frame) if packed else msgspec.json.encode(frame).decode()
        )

    async def hear(self, *ops: str) -> dict[str, Any]:
        """Return the next frame, or the next with one of these ops."""
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                said = await self.socket.recv()
                frame: dict[str, Any] = (
                    msgspec.json.decode(said) if isinstance(said, str) else msgspec.msgpack.decode(said)
                )
                if frame["op"] in ops or (not ops and frame["op"] != "heartbeat"):
                    return frame

    async def subscribe(self, *channels: dict[str, Any], **more: object) -> dict[str, Any]:
        await self.say(op="subscribe", id=1, channels=list(channels), **more)
        return await self.hear("subscribed", "error")

    async def offsets(self, count: int) -> list[int]:
        """Return the offsets of so many publications."""
        return [(await self.hear("signal", "bar", "correction"))["offset"] for _ in range(count)]


@asynccontextmanager
async def subscriber(url: str, **options: Any) -> AsyncIterator[Peer]:
    async with connect(url, compression=None, **options) as socket:
        yield Peer(socket)


@asynccontextmanager
async def serving(
    settings: ApiSettings, database_url: str, redis_url: str, read_url: str | None = None
) -> AsyncIterator[Served]:
    read_url = read_url and address_of(read_url, API)
    addresses = Addresses(address_of(database_url, API), redis_url, read_url)
    stopping = asyncio.Event()
    with bind(settings) as listener:
        async with (
            composed(settings, addresses, instrument_named, explain) as state,
            asyncio.TaskGroup() as group,
        ):
            server = Server(state, listener)
            hub = group.create_task(state["hub"].run())
            serving = group.create_task(server.run(stopping))
            served = Served(server.url, state)
            try:
                yield served
            finally:
                await served.http.aclose()
                stopping.set()
                await serving
                hub.cancel()


class Worker:
    """Does to the log what a worker does: commits publications, then says so, or fails to say so."""

    def __init__(self, connection: "Connection", bus: publishing.Bus) -> None:
        self.connection = connection
        self.bus = bus

    async def instruments(self, *symbols: str, exchange: str = "kraken") -> list[Listed]:
        pairs = [symbol.split("/") for symbol in symbols]
        instruments = [spot(exchange, base, quote, base + quote) for base, quote in pairs]
        listed = await register(self.connection, instruments)
        return [listed[instrument.key] for instrument in instruments]

    async def commit(
        self, listed: Listed, *offsets: int, family: Family = Family.SIGNALS
    ) -> list[Publication]:
        publications = [
            Publication(
                listed.instrument_id, family, offset, family[:-1], f'{{"n":{offset}}}', 1_733_270_400_000_000
            )
            for offset in offsets
        ]
        await self.connection.executemany(
            "INSERT INTO publications VALUES ($1, $2, $3, $4, NULL, 'rsi', $6, $5, $6)",
            [(p.instrument_id, p.family, p.offset, p.op, p.data, p.committed_at) for p in publications],
        )
        return publications

    async def publish(self, listed: Listed, *offsets: int, family: Family = Family.SIGNALS) -> None:
        await self.bus.publish(await self.commit(listed, *offsets, family=family))
