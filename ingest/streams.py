"""An instrument's trades on one connection: what follows what, and what is missing. No I/O."""

from typing import Final

import msgspec

from ingest.findings import Notes
from ingest.habits import USUAL, Habit
from ingest.numbering import RENUMBERED, Holes, Renumbering, is_number
from market.coverage import Proof
from market.gaps import TRADES, Cause, Finding, GapState, Silent
from market.tapes import TapeEnd
from market.times import SECOND

_TRADES_LAG: Final = SECOND
"""How much later than books trades may be told: what is said of the last second is not sure yet."""

_PROOFS_LAG: Final = 2 * SECOND
"""How far the proof of a session may stay behind its last trade."""

_BACK: Final = 10 * SECOND
"""How far the time of a trade may lie before that of the one before it; further back it is wrong."""

CONTIGUOUS: Final = "ids are contiguous"
CAME_LATE: Final = "every trade came late"


class TradeStream:
    """One instrument's trades, over all sessions of its connection.

    ``_lost`` says why the next trade may not follow the last. ``_gap`` is what stands from the last
    trade on, once a new session's time is known, until a trade comes.
    """

    def __init__(self, instrument_id: int, end: TapeEnd, notes: Notes, *, contiguous: bool) -> None:
        self._instrument_id = instrument_id
        self._contiguous = contiguous
        self._notes = notes
        self._last = None if end.ts is None else (end.ts, end.trade_id or 0)
        self._until = end.trades_until
        self._unnumbered_until = _unnumbered_until(end) if contiguous else None
        if self._unnumbered_until is not None:
            self._last = self._until = None
        self._since: int | None = None
        self._lost: Cause | None = Cause.DOWNTIME
        self._gap: Finding | None = None
        self._holes = Holes()
        self._renumbering = Renumbering()
        self._habit = Habit(USUAL if contiguous else None)
        self.silent: Silent | None = None
        """Silent against its habit: until it is known why, nothing more is proven."""

    def lose(self) -> None:
        """Note that the session has ended: it is proven up to its last trade.

        Where a new connection does not help a silent stream, the next is made later and later: it cuts
        off all others that it carries.
        """
        if self._last is None:
            self._gap = None
        else:
            self.prove(self._last[0])
        self._lost = self._lost or Cause.RECONNECT
        self._since = None
        if self.silent:
            self._habit.stretch(self.silent.at - self._heard_at)
        self._habit.interrupt()
        self.silent = None

    def reopen(self, ts: int) -> None:
        """Note that a new session's venue has come to ``ts``: what lies since the last trade is a gap.

        A venue that repeats its past has not come so far yet.
        """
        from_ts = self._known_until()
        if self._gap:
            self._stand(self._gap.cause, self._gap.from_ts, max(ts, self._gap.to_ts))
            self._lost = None
        elif self._lost and self._contiguous and from_ts is not None and ts > from_ts:
            self._stand(self._lost, from_ts, ts)
            self._lost = None

    def begin(self, ts: int) -> None:
        """Note that the session proves what comes from ``ts`` on."""
        self.reopen(ts)
        from_ts = self._known_until()
        if not self._contiguous and self._lost and from_ts is not None and ts > from_ts:
            self._note(self._lost, GapState.UNRECOVERABLE, from_ts, ts)
        if self._unnumbered_until is not None and ts > self._unnumbered_until:
            self._note(Cause.DOWNTIME, GapState.UNRECOVERABLE, self._unnumbered_until, ts)
        self._unnumbered_until = None
        if not self._contiguous or from_ts is None:
            self._lost = None
        self._habit.listen_from(ts)
        self._since = ts if self._since is None else self._since

    def prove(self, until: int) -> None:
        """Note that venue time has come to ``until`` without a break."""
        if self._lost:
            self.reopen(until)
        if self._since is not None and until > self._since and not self.silent:
            self._prove(self._since, until)

    def doubt(self, latest: int) -> None:
        """Note that no trade can be of later than ``latest``: the tape may end with a wrong time."""
        if self._last and self._last[0] > latest:
            self._last = (latest if self._until is None else min(self._until, latest), self._last[1])

    def take(self, ts: int, trade_id: int) -> None:
        """Take a trade in the order of its arrival."""
        last = self._last
        if not self._contiguous:
            self._last = (max(ts, last[0]), 0) if last else (ts, 0)
        elif last is None:
            self._begin_tape(ts, trade_id)
        elif trade_id <= last[1]:
            self._take_late(last, ts, trade_id)
        else:
            self._follow(last, max(ts, last[0] - _BACK), trade_id)

    def listen(self, ts: int) -> None:
        """Look at venue time ``ts`` whether the stream is silent against its habit."""
        self._habit.listen(ts)
        if self._since is None or self.silent:
            return
        if self._habit.exceeded(ts - self._heard_at):
            self._stand(Cause.MUTE, self._gap.from_ts if self._gap else self._heard_at, ts)
            self.silent = Silent(self._instrument_id, self._last_id, self._habit.listening_since, ts)

    def was_quiet(self, after_id: int | None, ts: int) -> None:
        """Learn that since the trade ``after_id`` there was nothing to hear at ``ts``."""
        if self.silent and self._last_id == after_id:
            self._habit.stretch(ts - self._heard_at)
            self.silent = None

    @property
    def traded_at(self) -> int:
        """Return the time of the last trade, 0 where none is known."""
        return self._last[0] if self._last else 0

    @property
    def _last_id(self) -> int | None:
        return self._last[1] if self._last else None

    @property
    def _heard_at(self) -> int:
        """Return the time of the last trade of this session, or its beginning."""
        return max(self.traded_at, self._habit.listening_since)

    def _known_until(self) -> int | None:
        """Return where what is known for sure ends; a session that was killed is proven a second less."""
        if self._until is None:
            return self._last[0] if self._last else None
        if self._last is None:
            return self._until - _TRADES_LAG
        if not self._contiguous:
            return max(self._last[0], self._until - _TRADES_LAG)
        behind = self._last[0] - self._until
        return self._until if 0 < behind < _PROOFS_LAG else self._last[0]

    def _follow(self, last: tuple[int, int], ts: int, trade_id: int) -> None:
        if trade_id > last[1] + 1:
            self._skip(last, ts, trade_id)
            return
        if self._gap or self._lost:
            self._bridge(last, ts)
        self._go_on(ts, trade_id)

    def _go_on(self, ts: int, trade_id: int) -> None:
        self._last = (ts, trade_id)
        self._gap = self._lost = None
        self._habit.speak(ts)
        self.silent = None

    def _begin_tape(self, ts: int, trade_id: int) -> None:
        """Take the first trade ever; where a gap stands there may have been others before."""
        gap = self._gap
        if gap and ts >= gap.from_ts:
            self._note(gap.cause, GapState.OPEN, gap.from_ts, max(gap.to_ts, ts + 1), before_id=trade_id)
        self._go_on(ts, trade_id)

    def _bridge(self, last: tuple[int, int], ts: int) -> None:
        """Close the gap that stood: the trade that came is the one after the last."""
        self._since = self._edge(last)
        self._prove(self._since, max(ts, last[0] + 1, self._gap.to_ts if self._gap else 0))
        if self._gap:
            self._notes.gaps.append(_closed(self._gap, CONTIGUOUS))
        if self.silent:
            self._habit.stretch(ts - last[0])

    def _skip(self, last: tuple[int, int], ts: int, trade_id: int) -> None:
        cause = self._gap.cause if self._gap else self._lost or Cause.SEQUENCE
        begin, end = self._edge(last) if self._gap else min(self._edge(last), ts), max(last[0], ts) + 1
        found = self._note(cause, GapState.OPEN, begin, end, after_id=last[1], before_id=trade_id)
        self._holes.add(found, last[1], trade_id)
        self._since = ts if self._since is None else self._since
        self._go_on(ts, trade_id)

    def _edge(self, last: tuple[int, int]) -> int:
        """Return where what is missing may begin."""
        if self._gap:
            return self._gap.from_ts
        return (self._lost and self._known_until()) or last[0]

    def _take_late(self, last: tuple[int, int], ts: int, trade_id: int) -> None:
        """Take a trade whose number is old: it comes late, or twice, or from a venue that numbers anew."""
        if ts <= last[0] or self._holes.hold(trade_id):
            if filled := self._holes.fill(trade_id):
                self._notes.gaps.append(_closed(filled, CAME_LATE))
                self._prove(filled.from_ts, filled.to_ts)
        elif first := self._renumbering.suspect(ts, trade_id):
            self._renumber(last, first)
            self._go_on(ts, trade_id)

    def _renumber(self, last: tuple[int, int], first: tuple[int, int]) -> None:
        cause = self._gap.cause if self._gap else self._lost or Cause.SEQUENCE
        self._note(cause, GapState.UNRECOVERABLE, self._edge(last), first[0], detail=RENUMBERED)
        self._since = first[0] if self._since is None else self._since
        self._holes, self._renumbering = Holes(), Renumbering()

    def _stand(self, cause: Cause, from_ts: int, to_ts: int) -> None:
        """Note the gap since the last trade; it stays the same one while no trade comes."""
        self._gap = self._note(cause, GapState.OPEN, from_ts, to_ts, after_id=self._last_id)

    def _note(  # noqa: PLR0913 - the parts of a gap
        self,
        cause: Cause,
        state: GapState,
        from_ts: int,
        to_ts: int,
        *,
        after_id: int | None = None,
        before_id: int | None = None,
        detail: str = "",
    ) -> Finding:
        found = Finding(
            instrument_id=self._instrument_id,
            kind=TRADES,
            cause=cause,
            state=state,
            from_ts=from_ts,
            to_ts=max(to_ts, from_ts + 1),
            after_id=after_id,
            before_id=before_id,
            detail=detail,
        )
        self._notes.gaps.append(found)
        return found

    def _prove(self, from_ts: int, to_ts: int) -> None:
        self._until = max(self._until or 0, to_ts)
        self._notes.proofs.append(Proof(self._instrument_id, TRADES, from_ts, to_ts))


def _unnumbered_until(end: TapeEnd) -> int | None:
    """Return where a tape ends that a protocol without ids wrote: no number goes on from its hashes."""
    if end.ts is None or end.trade_id is None or is_number(end.trade_id):
        return None
    return max(end.ts, (end.trades_until or 0) - _TRADES_LAG)


def _closed(found: Finding, detail: str) -> Finding:
    return msgspec.structs.replace(found, state=GapState.CLOSED, detail=detail)
