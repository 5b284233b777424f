"""What is proven, at rest: extended with the ticks that prove it, read as coverage."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from db.errors import translated
from db.queries import load
from market.coverage import Coverage, Interval, Proof
from market.tapes import TapeEnd

if TYPE_CHECKING:
    from db.connections import Connection
    from db.instruments import Listed

_sql = load("proofs")

LIVE = "live"
HISTORY = "history"


async def extend(connection: "Connection", proofs: Sequence[Proof], source: str = LIVE) -> None:
    """Move the ends of proofs forward, and begin those that are new; one proof a key.

    What history proves is stored again where its day was dropped.
    """
    columns = (
        [proof.instrument_id for proof in proofs],
        [proof.kind for proof in proofs],
        [proof.from_ts for proof in proofs],
        [proof.to_ts for proof in proofs],
    )
    with translated("extending proofs"):
        await connection.execute(_sql.extend, *columns, source)
        if source == HISTORY:
            for each in zip(*columns, strict=True):  # one statement each, as several may be of one day
                await connection.execute(_sql.brought, *([value] for value in each))


async def read_stored(
    connection: "Connection", instrument_ids: Iterable[int], kind: str, from_ts: int, to_ts: int
) -> dict[int, Coverage]:
    """Return the same as ``read_coverage``, but for ticks that were dropped: those speak against it."""
    found = await read_coverage(connection, instrument_ids, kind, from_ts, to_ts)
    with translated("reading what was dropped"):
        rows = await connection.fetch(_sql.dropped, list(found), kind, from_ts, to_ts)
    gone: dict[int, list[Interval]] = {}
    for instrument_id, begin, end in rows:
        gone.setdefault(instrument_id, []).append(Interval(begin, end))
    return {
        key: Coverage(each.proven, sorted([*each.unproven, *gone.get(key, ())]))
        for key, each in found.items()
    }


async def read_coverage(
    connection: "Connection", instrument_ids: Iterable[int], kind: str, from_ts: int, to_ts: int
) -> dict[int, Coverage]:
    """Return what is known of one kind of ticks of these instruments around [from_ts, to_ts).

    Intervals that overlap it come whole. Of an instrument that was never listened to there is nothing.
    """
    wanted = list(instrument_ids)
    with translated("reading coverage"):
        rows = await connection.fetch(_sql.covering, wanted, kind, from_ts, to_ts)
    sides: dict[tuple[int, bool], list[Interval]] = {}
    for instrument_id, begin, end, proven in rows:
        sides.setdefault((instrument_id, proven), []).append(Interval(begin, end))
    return {key: Coverage(sides.get((key, True), ()), sides.get((key, False), ())) for key in wanted}


async def tape_ends(connection: "Connection", listed: Mapping[int, "Listed"]) -> dict[int, TapeEnd]:
    """Return where the tape of each of these instruments ends."""
    exchange_ids = [each.exchange_id for each in listed.values()]
    with translated("reading where tapes end"):
        rows = await connection.fetch(_sql.tape_ends, exchange_ids, list(listed))
    return {instrument_id: TapeEnd(*place) for instrument_id, *place in rows}
