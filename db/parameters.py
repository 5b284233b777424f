"""Parameters at rest: chosen by the operator, followed by everybody who folds."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from db.errors import translated
from db.queries import load
from market.parameters import Chosen

if TYPE_CHECKING:
    from asyncpg import Record

    from db.connections import Connection

_sql = load("parameters")
_decode = msgspec.json.Decoder(dict[str, int | float]).decode


async def chosen(connection: "Connection", after: int = 0) -> list[Chosen]:
    """Return what was chosen after that ``parameters_id``, in the order of commits."""
    with translated("reading parameters"):
        return [_chosen(row) for row in await connection.fetch(_sql.chosen, after)]


async def hold(connection: "Connection") -> None:
    """Be the only one who chooses, until the transaction ends."""
    with translated("choosing parameters"):
        await connection.execute(_sql.hold)


async def choose(
    connection: "Connection", instrument_id: int, kind: str, from_ts: int, numbers: Mapping[str, int | float]
) -> Chosen:
    """Choose all numbers of a kind on an instrument, from ``from_ts`` on; the table is held."""
    text = msgspec.json.encode(dict(numbers)).decode()
    with translated("choosing parameters"):
        rows = await connection.fetch(_sql.choose, instrument_id, kind, from_ts, text)
    return _chosen(rows[0])


def _chosen(row: "Record") -> Chosen:
    return Chosen(**{**dict(row), "numbers": _decode(row["numbers"])})
