"""The books of one feed, across its connections: how each stands, and which of its updates are written."""

from collections.abc import Iterable, Sequence

import msgspec

from ingest.books import Cause, State, Top
from ingest.sampling import EVERY, Sampler, Sampling


class Standing(msgspec.Struct, frozen=True):
    """How a book stands since ``since``; how often it was found wrong, and by what the last time."""

    state: State = State.INVALID
    since: int = 0
    resyncs: int = 0
    cause: str = ""


class Books:
    """What is remembered of every book, by instrument id."""

    def __init__(self, instrument_ids: Iterable[int], sampling: Sampling = EVERY) -> None:
        self.standings = dict.fromkeys(instrument_ids, Standing())
        self._samplers = {instrument_id: Sampler(sampling) for instrument_id in self.standings}
        self._broken: list[int] = []
        self._seen_at = 0

    def stands(self, instrument_id: int, state: State, at: int, cause: Cause | None = None) -> None:
        """Note how a book stands at ``at``, our time; ``cause`` says why a valid one was given up."""
        was = self.standings[instrument_id]
        self._seen_at = at
        if was.state is State.VALID and cause is not None:
            self._broken.append(instrument_id)
            self.standings[instrument_id] = Standing(
                state, at, was.resyncs + (cause is not Cause.CLOSED), cause
            )
        elif was.state is not state:
            self.standings[instrument_id] = Standing(state, at, was.resyncs, was.cause)

    def close(self) -> None:
        """Note that the connection is gone, and with it what the books knew."""
        for instrument_id in self.standings:
            self.stands(instrument_id, State.INVALID, self._seen_at, Cause.CLOSED)

    def take_broken(self) -> Sequence[int]:
        """Return, once, the instruments whose book was valid and is not any more."""
        if not self._broken:
            return ()
        broken, self._broken = self._broken, []
        return broken

    def due(self, instrument_id: int, ts: int, top: Top) -> bool:
        """Tell whether a valid book that looks so at ``ts`` is written."""
        return self._samplers[instrument_id].due(ts, top)

    def wrote(self, instrument_id: int, ts: int, top: Top) -> None:
        """Remember what was written."""
        self._samplers[instrument_id].wrote(ts, top)
