"""Indicators at rest, written by claims."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from db.errors import translated
from db.queries import load
from market.indicators import Indicator

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("indicators")
_decode = msgspec.json.Decoder(dict[str, float]).decode
_encode = msgspec.json.Encoder().encode


class Replaced(msgspec.Struct, frozen=True):
    """Indicators of an instrument, computed from ``source``, in place of all that stand in [from_ts, to_ts).

    Without ``from_ts`` there are none to replace, without ``to_ts`` all that are later are.
    """

    instrument_id: int
    source: str
    from_ts: int | None
    to_ts: int | None
    indicators: Sequence[Indicator]


async def replace(connection: "Connection", replaced: Sequence[Replaced]) -> None:
    """Remove what is replaced, and write what stands in its place."""
    again = [each for each in replaced if each.from_ts is not None]
    rows = [(each.instrument_id, one) for each in replaced for one in each.indicators]
    with translated("writing indicators"):
        if again:
            await connection.execute(
                _sql.clear,
                [each.instrument_id for each in again],
                [each.source for each in again],
                [each.from_ts for each in again],
                [each.to_ts for each in again],
            )
        if rows:
            await connection.execute(_sql.add, *_columns(rows))


def _columns(rows: Sequence[tuple[int, Indicator]]) -> list[list[object]]:
    return [
        [instrument_id for instrument_id, _ in rows],
        [each.kind for _, each in rows],
        [each.version for _, each in rows],
        [each.ts for _, each in rows],
        [_encode(each.values).decode() for _, each in rows],
        [each.confidence for _, each in rows],
        [each.from_ts for _, each in rows],
        [each.to_ts for _, each in rows],
        [each.source for _, each in rows],
    ]


def indicator_of(values: dict[str, Any]) -> Indicator:
    """Return the indicator that the columns of its content tell."""
    return Indicator(values=_decode(values.pop("measured")), **values)
