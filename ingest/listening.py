"""Listening to a venue for a moment without storing anything: what comes, and whether it is understood."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from itertools import chain
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from ingest.connecting import opened
from ingest.diagnosing import refusal_of, status_refusal
from ingest.outbound.budgets import Lane
from ingest.outbound.outbound import Call, Outbound
from ingest.routes import Route
from ingest.venues.history import Answer, Request, judge
from ingest.venues.reach import reach
from ingest.venues.venue import DEPTHS, FRAMES, QUOTES, TRADES, Decoded, Decoder, Reason, Rejection
from market.depths import Depth
from market.errors import DecodeError, FeedError, VenueUnavailableError
from market.instruments import Instrument
from market.quotes import Quote
from market.times import SECOND
from market.trades import Trade
from runtime.clock import Clock

_PROBLEMS: Final = 10


class Heard(msgspec.Struct, kw_only=True):
    """What came within some seconds.

    ``offset_seconds`` is by how much our clock was ahead of the venue's times when they arrived, at the
    least: the way here, and what our clock is wrong by. ``problems`` say what kept something from coming.
    """

    url: str
    symbols: tuple[str, ...]
    seconds: float
    frames: int = 0
    acknowledged: int = 0
    decoded: Counter[str] = msgspec.field(default_factory=Counter)
    rejected: Counter[str] = msgspec.field(default_factory=Counter)
    offset_seconds: float | None = None
    problems: list[str] = msgspec.field(default_factory=list)


class Listener:
    """Listens to instruments of one route, once."""

    def __init__(
        self, route: Route, instruments: Sequence[Instrument], outbound: Outbound, clock: Clock
    ) -> None:
        self._route = route
        self._reach = reach(route.exchange, route.market)
        self._instruments = instruments
        self._outbound = outbound
        self._clock = clock
        self._fetched: set[str] = set()

    async def listen(self, seconds: float) -> Heard:
        """Return what came; raises FeedError, or what it derives, when the venue cannot be reached.

        It is asked within the budgets of those that run; RateLimitedError says that there is nothing left.
        """
        symbols = tuple(each.symbol for each in self._instruments)
        heard = Heard(url=self._route.stream_url, symbols=symbols, seconds=seconds)
        ids = {each.venue_symbol: number for number, each in enumerate(self._instruments, 1)}
        limit, base = self._reach.connections, self._route.stream_base
        await self._outbound.connecting(heard.url, limit, base)
        async with opened(heard.url) as socket:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._read(socket, self._route.venue.decoder(ids), heard)
        return heard

    async def _read(self, socket: ClientConnection, decoder: Decoder, heard: Heard) -> None:
        try:
            for subscription in self._route.venue.subscriptions(self._instruments):
                await socket.send(subscription.message)
            while True:
                decoded = self._decoded(decoder, await socket.recv(decode=False), heard)
                for symbol in decoded.snapshots_wanted:
                    await self._supply(symbol, decoder, heard)
        except ConnectionClosed as closed:
            heard.problems.append(f"the venue closed the connection: {closed}")

    def _decoded(self, decoder: Decoder, raw: bytes, heard: Heard) -> Decoded:
        heard.frames += 1
        try:
            decoded = decoder.decode(raw, self._clock())
        except DecodeError as error:
            _add(heard.problems, str(error))
            decoded = Decoded(rejections=[Rejection(FRAMES, Reason.UNDECODABLE)])
        self._count(decoded, heard)
        return decoded

    def _count(self, decoded: Decoded, heard: Heard) -> None:
        heard.acknowledged += len(decoded.acknowledged)
        for refusal in decoded.refused:
            _add(heard.problems, refusal.reason)
        counts = {TRADES: len(decoded.trades), QUOTES: len(decoded.quotes), DEPTHS: len(decoded.depths)}
        heard.decoded.update({kind: count for kind, count in counts.items() if count})
        heard.rejected.update(str(rejection.reason) for rejection in decoded.rejections)
        ticks: Iterable[Trade | Quote | Depth] = chain(decoded.trades, decoded.quotes, decoded.depths)
        for tick in ticks:
            offset = (tick.received_at - tick.ts) / SECOND
            known = heard.offset_seconds
            heard.offset_seconds = offset if known is None else min(known, offset)

    async def _supply(self, symbol: str, decoder: Decoder, heard: Heard) -> None:
        """Fetch a book once; where books come on the socket there is nothing to fetch."""
        instrument = next(each for each in self._instruments if each.venue_symbol == symbol)
        url = self._route.snapshot_url(instrument)
        if url is None or symbol in self._fetched:
            return
        self._fetched.add(symbol)
        try:
            self._count(decoder.snapshot(symbol, await self._get(url), self._clock()), heard)
        except (FeedError, DecodeError) as error:
            _add(heard.problems, str(error))

    async def _get(self, url: str) -> bytes:
        _, _, path, query, _ = urlsplit(url)
        call = Call(
            reach=self._reach,
            request=Request(f"{path}?{query}", self._reach.snapshot_weight),
            lane=Lane.LIVE,
            base=self._route.rest_base,
            judge=partial(_judge, url),
        )
        try:
            return await self._outbound.once(call)
        except VenueUnavailableError as error:
            if isinstance(cause := error.__cause__, httpx.HTTPError):
                raise refusal_of(url, cause) from error
            raise


def _judge(url: str, answer: Answer) -> None:
    """Raise what an answer says that is no book, in words that say what to do."""
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        judge(answer)
    if answer.status != HTTPStatus.OK:
        raise status_refusal(url, answer.status, answer.body)


def _add(problems: list[str], problem: str) -> None:
    """Add what is not said yet, of the first few."""
    if problem not in problems and len(problems) < _PROBLEMS:
        problems.append(problem)
