"""Read gaps back, a page at a time."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import literal, select

from db import schema
from db.gaps import gaps_of
from db.history.composed import Statement
from market.gaps import Gap, GapState

if TYPE_CHECKING:
    from db.connections import Connection

_g = schema.gaps.c
_COLUMNS: Final = [_g[name] for name in Gap.__struct_fields__]


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which gaps: of these instruments (all), kind, states, overlapping [from_ts, to_ts)."""

    instrument_ids: Sequence[int] | None = None
    kind: str | None = None
    states: Sequence[GapState] = ()
    from_ts: int | None = None
    to_ts: int | None = None


async def read(
    connection: "Connection",
    filters: Filters,
    *,
    after: int | None = None,
    newest_first: bool = False,
    limit: int,
) -> list[Gap]:
    """Return a page of gaps in the order of their ids, beyond the gap ``after``."""
    order = _g.gap_id.desc() if newest_first else _g.gap_id
    statement = select(*_COLUMNS).where(*_conditions(filters)).order_by(order).limit(limit)
    if after is not None:
        statement = statement.where(_g.gap_id < after if newest_first else _g.gap_id > after)
    return gaps_of(await Statement(statement).fetch(connection, "reading gaps"))


def _conditions(filters: Filters) -> Iterable[Any]:
    if filters.instrument_ids is not None:
        yield _g.instrument_id.in_(filters.instrument_ids)
    if filters.kind is not None:
        yield _g.kind == filters.kind
    if filters.states:
        yield _g.state.in_(filters.states)
    if filters.from_ts is not None:
        yield _g.to_ts > literal(filters.from_ts, _g.to_ts.type)
    if filters.to_ts is not None:
        yield _g.from_ts < literal(filters.to_ts, _g.to_ts.type)
