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
    """Move the ends of proofs forward, and begin those that are new; one proof a key."""
    with translated("extending proofs"):
        await connection.execute(
            _sql.extend,
            [proof.instrument_id for proof in proofs],
            [proof.kind for proof in proofs],
            [proof.from_ts for proof in proofs],
            [proof.to_ts for proof in proofs],
            source,
        )


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
