"""Streams that fell silent against their habit: the venue's history tells mute from quiet."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import structlog

from db.connections import connected
from db.gaps import silences
from db.instruments import Listed
from market.errors import StoreError
from market.gaps import Silent
from runtime.lifecycle import wait_at_most

logger = structlog.get_logger(__name__)

_LOOK_EVERY_SECONDS: Final = 1.0


class Listener(Protocol):
    """A connection as seen from here."""

    def muted(self) -> list[Silent]:
        """Return the streams that are silent against their habit."""

    def mute_books(self) -> list[int]:
        """Return the instruments that traded while their book was silent against its habit."""

    def was_quiet(self, instrument_id: int, after_id: int | None) -> None:
        """Learn that an instrument had not traded since ``after_id``."""

    async def renew(self, reason: str) -> None:
        """Make the connection again."""


class MuteWatch:
    """Makes a connection again whose venue has trades that it did not bring.

    The gap of a silent stream is healed like any other. When it is settled and nothing was there, the
    stream is waited for longer; a quiet pair is never reconnected for being quiet, nor for what history
    stored of the time before its session. A book that was silent while its instrument traded is mute
    for certain: no history need tell.
    """

    def __init__(
        self,
        url: str,
        listeners: Callable[[], Sequence[Listener]],
        places: Mapping[int, Listed],
        look_every_seconds: float = _LOOK_EVERY_SECONDS,
    ) -> None:
        self._url = url
        self._listeners = listeners
        self._places = places
        self._look_every_seconds = look_every_seconds

    async def run(self, stopping: asyncio.Event) -> None:
        """Look until ``stopping`` is set; PostgreSQL is asked only about streams that fell silent."""
        while not stopping.is_set():
            for each in self._listeners():
                await self._renew_books(each)
            if silent := [each for each in self._listeners() if each.muted()]:
                try:
                    await self._look(silent)
                except StoreError as error:
                    logger.warning("mutes.unknown", error=str(error))
            await wait_at_most(stopping, self._look_every_seconds)

    async def _renew_books(self, listener: Listener) -> None:
        for instrument_id in listener.mute_books()[:1]:
            key = self._places[instrument_id].instrument.key
            logger.warning("book.mute", instrument=key)
            await listener.renew(f"the book of {key} was mute: it traded, and its book did not change")

    async def _look(self, silent: Sequence[Listener]) -> None:
        every = {stream: each for each in silent for stream in each.muted()}
        async with connected(self._url, "heliograph ingest mutes") as connection:
            found = await silences(connection, every, self._places)
        for silence in found:
            stream, listener = silence.of, every[silence.of]
            key = self._places[stream.instrument_id].instrument.key
            if stream not in listener.muted():
                continue
            if silence.mute:
                logger.warning("stream.mute", instrument=key)
                await listener.renew(f"{key} was mute: its venue has trades that did not come")
            elif silence.settled:
                logger.info("stream.quiet", instrument=key)
                listener.was_quiet(stream.instrument_id, stream.after_id)
