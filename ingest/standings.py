"""The books of one feed, across its connections: how each stands, and which of its updates are written."""

from collections.abc import Sequence
from typing import Self

import msgspec

from ingest.books import Cause, State, Top
from ingest.rooms import Room
from ingest.sampling import EVERY, Sampler, Sampling


class Standing(msgspec.Struct, frozen=True):
    """How a book stands since ``since``; how often it was found wrong, and by what the last time."""

    state: State = State.INVALID
    since: int = 0
    resyncs: int = 0
    cause: str = ""


class BookState(msgspec.Struct, frozen=True):
    """How a book stands, as heartbeats carry it."""

    exchange: str
    symbol: str
    state: State
    since: int
    resyncs: int
    cause: str

    @classmethod
    def of(cls, exchange: str, symbol: str, standing: Standing) -> Self:
        """Return the state of a named book."""
        return cls(exchange, symbol, standing.state, standing.since, standing.resyncs, standing.cause)


class Books:
    """What is remembered of every book, by instrument id."""

    def __init__(self, sampling: Sampling = EVERY, room: Room | None = None) -> None:
        self._sampling = sampling
        self.room = room or Room()
        self.standings: dict[int, Standing] = {}
        self._samplers: dict[int, Sampler] = {}
        self._broken: list[int] = []
        self._seen_at = 0

    def learn(self, instrument_id: int) -> None:
        """Keep one more."""
        self.standings.setdefault(instrument_id, Standing())
        self._samplers.setdefault(instrument_id, Sampler(self._sampling))

    def forget(self, instrument_id: int) -> None:
        """Keep one no more; nothing that still comes of it is written."""
        self.standings.pop(instrument_id, None)
        self._samplers.pop(instrument_id, None)

    def keeps(self, instrument_id: int) -> bool:
        """Tell whether one is kept."""
        return instrument_id in self.standings

    def stands(self, instrument_id: int, state: State, at: int, cause: Cause | None = None) -> None:
        """Note how a book stands at ``at``, our time; ``cause`` says why a valid one was given up."""
        self._seen_at = at
        was = self.standings.get(instrument_id)
        if was is None:
            return
        if was.state is State.VALID and cause is not None:
            self._broken.append(instrument_id)
            self.standings[instrument_id] = Standing(
                state, at, was.resyncs + (cause is not Cause.CLOSED), cause
            )
        elif was.state is not state:
            self.standings[instrument_id] = Standing(state, at, was.resyncs, was.cause)

    def close(self) -> None:
        """Note that the connection is gone, and with it what the books knew."""
        for instrument_id in tuple(self.standings):
            self.stands(instrument_id, State.INVALID, self._seen_at, Cause.CLOSED)

    def take_broken(self) -> Sequence[int]:
        """Return, once, the instruments whose book was valid and is not any more."""
        if not self._broken:
            return ()
        broken, self._broken = self._broken, []
        return broken

    def due(self, instrument_id: int, ts: int, top: Top) -> bool:
        """Tell whether a valid book that looks so at ``ts`` is written."""
        sampler = self._samplers.get(instrument_id)
        return sampler is not None and sampler.due(ts, top)

    def wrote(self, instrument_id: int, ts: int, top: Top) -> None:
        """Remember what was written."""
        self._samplers[instrument_id].wrote(ts, top)
