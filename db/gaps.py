"""Gaps at rest: opened, narrowed, and closed with the ticks that show them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from db.errors import translated
from db.queries import load
from market.gaps import HEALED_BY_ITSELF, TOO_LONG, TRADES, Cause, Finding, Gap, GapState, Silent
from market.times import SECOND

if TYPE_CHECKING:
    from db.connections import Connection
    from db.instruments import Listed

_sql = load("gaps")

_BRIDGED_WITHIN_SECONDS: Final = 2.0
"""How long a gap without a trade after it waits for one that continues the last before it is healed."""


class Silence(msgspec.Struct, frozen=True):
    """What became of a silent stream: the state of its gap, and the last trade that is stored by now."""

    of: Silent
    state: GapState
    last_id: int | None
    last_ts: int | None

    @property
    def mute(self) -> bool:
        """Tell whether there is a trade that its session should have brought."""
        if self.last_id is None or self.last_ts is None or self.last_ts < self.of.since:
            return False
        return self.of.after_id is None or self.last_id > self.of.after_id

    @property
    def settled(self) -> bool:
        """Tell whether the venue's history was asked."""
        return self.state in (GapState.CLOSED, GapState.UNRECOVERABLE)


async def record(connection: "Connection", findings: Sequence[Finding]) -> list[Gap]:
    """Write what was found, one finding a gap, and return the gaps as they are now; in a transaction.

    A gap that is found closed or narrower is looked for among those that stand. One that is not
    there is opened, with the job that heals it; there is nothing to close where none stands.
    """
    closed = [each for each in findings if each.state == GapState.CLOSED]
    standing = [each for each in findings if each.state == GapState.OPEN]
    final = [each for each in findings if each.state == GapState.UNRECOVERABLE]
    with translated("recording gaps"):
        gaps = await _close(connection, closed) if closed else []
        if standing:
            narrowed = await _narrow(connection, standing)
            known = {(gap.instrument_id, gap.kind, gap.from_ts, gap.after_id) for gap in narrowed}
            final = [each for each in standing if each.key not in known] + final
            gaps += narrowed
        return gaps + (await _open(connection, final) if final else [])


async def by_id(connection: "Connection", gap_ids: Sequence[int]) -> list[Gap]:
    """Return these gaps as they are now, in the order of their ids."""
    with translated("reading gaps"):
        return gaps_of(await connection.fetch(_sql.by_id, gap_ids))


async def newest(connection: "Connection") -> int:
    """Return the id of the gap that was found last, 0 before the first."""
    with translated("looking for the newest gap"):
        gap_id: int = await connection.fetchval(_sql.newest)
    return gap_id


async def told(
    connection: "Connection", instrument_ids: Sequence[int], gap_ids: Sequence[int], since: int
) -> list[Gap]:
    """Return the gaps of these instruments that are not settled, these, and those found ``since`` a gap."""
    with translated("reading what is told of gaps"):
        return gaps_of(await connection.fetch(_sql.told, instrument_ids, gap_ids, since))


async def begin_healing(connection: "Connection", gap_id: int) -> None:
    """Show that somebody works on an open gap."""
    with translated("healing a gap"):
        await connection.execute(_sql.begin_healing, gap_id)


async def heal_again(connection: "Connection") -> int:
    """Give a new job to gaps that stand, are not too long, and that nobody is to heal; return how many."""
    with translated("looking for gaps that nobody heals"):
        return len(await connection.fetch(_sql.heal_again, HEALED_BY_ITSELF / SECOND))


async def settle(connection: "Connection", gap: Gap, state: GapState, detail: str) -> Gap | None:
    """End a gap as ``state``, with its job, if it still is as it was when ``gap`` was read.

    None: live found more about it meanwhile, or ended it itself; read it again.
    """
    with translated("settling a gap"):
        rows = await connection.fetch(_sql.settle, gap.gap_id, gap.to_ts, gap.before_id, state, detail)
        if rows and gap.job_id is not None:
            await connection.execute(_sql.finish_jobs, [gap.job_id])
    return gaps_of(rows)[0] if rows else None


async def standing(connection: "Connection", instrument_id: int, from_ts: int, to_ts: int) -> list[Gap]:
    """Return the gaps of an instrument's trades in a stretch that are not closed and that nobody heals."""
    with translated("reading gaps"):
        return gaps_of(await connection.fetch(_sql.standing, instrument_id, from_ts, to_ts))


async def brought(connection: "Connection", gap_ids: Sequence[int], detail: str = "backfilled") -> list[Gap]:
    """Close gaps that were filled by another road than healing, which ``detail`` says."""
    with translated("closing gaps"):
        return gaps_of(await connection.fetch(_sql.brought, gap_ids, detail))


async def silences(
    connection: "Connection", muted: Iterable[Silent], places: "Mapping[int, Listed]"
) -> list[Silence]:
    """Return what became of streams that fell silent; nothing of one whose gap is not written yet."""
    streams = {each.instrument_id: each for each in muted}
    with translated("reading about silent streams"):
        rows = await connection.fetch(
            _sql.silences,
            [places[instrument_id].exchange_id for instrument_id in streams],
            list(streams),
            [each.after_id for each in streams.values()],
            [each.at for each in streams.values()],
        )
    return [Silence(streams[each], GapState(state), *last) for each, state, *last in rows]


def gaps_of(rows: Iterable[Any]) -> list[Gap]:
    """Return gaps of rows that have their columns."""
    return [_gap(dict(row)) for row in rows]


async def _close(connection: "Connection", found: Sequence[Finding]) -> list[Gap]:
    details = [each.detail for each in found]
    gaps = gaps_of(await connection.fetch(_sql.close, *_keys(found), details))
    await connection.execute(_sql.finish_jobs, [gap.job_id for gap in gaps if gap.job_id is not None])
    return gaps


async def _narrow(connection: "Connection", found: Sequence[Finding]) -> list[Gap]:
    ends = [each.to_ts for each in found], [each.before_id for each in found]
    return gaps_of(await connection.fetch(_sql.narrow, *_keys(found), *ends))


async def _open(connection: "Connection", found: Sequence[Finding]) -> list[Gap]:
    rows = await connection.fetch(
        _sql.open,
        [each.instrument_id for each in found],
        [each.kind for each in found],
        [each.cause for each in found],
        [each.state for each in found],
        [each.from_ts for each in found],
        [each.to_ts for each in found],
        [each.after_id for each in found],
        [each.before_id for each in found],
        [_detail(each) for each in found],
        [_heals(each) for each in found],
        _BRIDGED_WITHIN_SECONDS,
    )
    return gaps_of(rows)


def _keys(found: Sequence[Finding]) -> tuple[list[Any], ...]:
    return (
        [each.instrument_id for each in found],
        [each.kind for each in found],
        [each.from_ts for each in found],
        [each.after_id for each in found],
    )


def _too_long(found: Finding) -> bool:
    """Tell whether too much may be missing: of a stream that seems mute, only what its habit leaves out."""
    return found.cause != Cause.MUTE and found.to_ts - found.from_ts > HEALED_BY_ITSELF


def _heals(found: Finding) -> bool:
    return found.kind == TRADES and found.state == GapState.OPEN and not _too_long(found)


def _detail(found: Finding) -> str:
    return TOO_LONG if found.state == GapState.OPEN and _too_long(found) else found.detail


def _gap(columns: dict[str, Any]) -> Gap:
    cause, state = Cause(columns.pop("cause")), GapState(columns.pop("state"))
    return Gap(cause=cause, state=state, **columns)
