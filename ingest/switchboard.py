"""Connections to venues, made and ended as feeds come and go."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from db.instruments import Listed
from db.sockets import SocketState
from ingest.feeds import Feed, Refuse
from ingest.routes import Route
from ingest.standings import BookState

MakeFeed = Callable[[Route, int, Refuse], Feed]
"""Makes a connection of a route, the n-th, that tells of instruments its venue does not have."""


class _Line(NamedTuple):
    """A connection that runs, and what ends it."""

    feed: Feed
    ending: asyncio.Event


class _Place(NamedTuple):
    """Where one feed is carried."""

    route: Route
    number: int
    listed: Listed


class Switchboard:
    """Knows which connection carries which feed. One of a market is shared by as many as it takes."""

    def __init__(self, make: MakeFeed) -> None:
        self._make = make
        self._lines: dict[tuple[Route, int], _Line] = {}
        self._places: dict[int, _Place] = {}
        self._news = asyncio.Event()
        self._starting: list[_Line] = []
        self.refused: dict[int, str] = {}
        """Feeds that their venue does not have, and what it said."""

    def carried(self) -> set[int]:
        """Return the ids of all feeds that are listened to."""
        return set(self._places)

    def feeds(self) -> list[Feed]:
        """Return the connections."""
        return [line.feed for line in self._lines.values()]

    def states(self) -> list[SocketState]:
        """Return how the connections do now."""
        return [line.feed.state() for line in self._lines.values()]

    def books(self) -> list[BookState]:
        """Return how all books stand."""
        return [book for line in self._lines.values() for book in line.feed.books()]

    def live(self, feed_id: int) -> bool:
        """Tell whether the venue has acknowledged a feed."""
        place = self._places.get(feed_id)
        return place is not None and self._lines[place.route, place.number].feed.live(place.listed)

    def connect(self, feed_id: int, route: Route, listed: Listed) -> None:
        """Listen to a feed, on a connection that there is or on a new one."""
        number = self._with_room(route)
        self._lines[route, number].feed.add(listed)
        self._places[feed_id] = _Place(route, number, listed)

    def disconnect(self, feed_id: int) -> None:
        """Listen to a feed no more; a connection without any is closed. Idempotent."""
        place = self._places.pop(feed_id, None)
        self.refused.pop(feed_id, None)
        if place is None:
            return
        key = place.route, place.number
        self._lines[key].feed.remove(place.listed)
        if not len(self._lines[key].feed):
            self._lines.pop(key).ending.set()

    def refuse(self, instrument_id: int, reason: str) -> None:
        """Note that an instrument is none of its venue's."""
        for feed_id, place in self._places.items():
            if place.listed.instrument_id == instrument_id:
                self.refused[feed_id] = reason

    async def run(self, stopping: asyncio.Event) -> None:
        """Run all connections until ``stopping`` is set; what they read by then is in the buffer."""
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(stopping.wait())
            while not stopping.is_set():
                for line in self._starting:
                    group.create_task(line.feed.run(line.ending))
                self._starting.clear()
                self._news.clear()
                news = group.create_task(self._news.wait())
                await asyncio.wait({waiting, news}, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
            for line in self._lines.values():
                line.ending.set()

    def _with_room(self, route: Route) -> int:
        """Return the number of a connection with room, made if need be."""
        number = 1
        while (route, number) in self._lines and not self._lines[route, number].feed.has_room:
            number += 1
        if (route, number) not in self._lines:
            line = _Line(self._make(route, number, self._refuse), asyncio.Event())
            self._lines[route, number] = line
            self._starting.append(line)
            self._news.set()
        return number

    def _refuse(self, listed: Listed, reason: str) -> None:
        self.refuse(listed.instrument_id, reason)
