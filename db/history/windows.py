"""Pages of history: a half-open range of time and keyset cursors, composed with SQLAlchemy Core."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from sqlalchemy import ARRAY, ColumnElement, Integer, Select, cast, func, literal, select, true, tuple_
from sqlalchemy.dialects.postgresql import asyncpg

from db.errors import translated

if TYPE_CHECKING:
    from asyncpg import Record

    from db.connections import Connection

Key = tuple[Any, ...]
"""The values of a table's ordering columns in one row."""

_Row = TypeVar("_Row")

Columns = Sequence[ColumnElement[Any]]

_dialect: Final = asyncpg.dialect()  # type: ignore[no-untyped-call]


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a history: [from_ts, to_ts) in microseconds, beyond the row ``after``, ``limit`` rows."""

    from_ts: int | None = None
    to_ts: int | None = None
    after: Key | None = None
    newest_first: bool = False
    limit: int

    def of(self, rows: Sequence[_Row], key: Callable[[_Row], Key]) -> list[_Row]:
        """Return the part of rows in memory that this window shows; they are in the order of their key."""
        directed = reversed(rows) if self.newest_first else rows
        beyond = [row for row in directed if self.after is None or self._is_beyond(key(row), self.after)]
        return beyond[: self.limit]

    def _is_beyond(self, key: Key, after: Key) -> bool:
        return key < after if self.newest_first else key > after


def cut(statement: Select[Any], window: Window, order: Columns) -> Select[Any]:
    """Return the statement cut to the window and ordered by ``order``: its time, then what is unique."""
    directed = [column.desc() for column in order] if window.newest_first else order
    return statement.where(*_conditions(window, order)).order_by(*directed).limit(window.limit)


def merged(
    statement: Select[Any], window: Window, order: Columns, instrument: ColumnElement[int], ids: Sequence[int]
) -> Select[Any]:
    """Return the statement cut to the window over these instruments, ordered by ``order``.

    Each instrument gives at most one page from its own index, so the whole history is never sorted.
    """
    if len(ids) == 1:
        return cut(statement.where(instrument == ids[0]), window, order)
    wanted = func.unnest(cast(list(ids), ARRAY(Integer))).table_valued("id", name="wanted").render_derived()
    page = cut(statement.where(instrument == wanted.c.id), window, order).lateral("page")
    pages = select(page).select_from(wanted.join(page, true()))
    return cut(pages, window, [page.c[column.name] for column in order])


async def fetch(connection: "Connection", statement: Select[Any], doing: str) -> "list[Record]":
    """Run a composed statement on a connection of ours, where times are microseconds."""
    compiled = statement.compile(dialect=_dialect, compile_kwargs={"render_postcompile": True})
    with translated(doing):
        return await connection.fetch(str(compiled), *(compiled.params[name] for name in _places(compiled)))


def _places(compiled: Any) -> Sequence[str]:  # noqa: ANN401 - the driver's own compiler, whose type says less
    return compiled.positiontup or ()


def _conditions(window: Window, order: Columns) -> Iterator[ColumnElement[bool]]:
    time = order[0]
    if window.from_ts is not None:
        yield time >= literal(window.from_ts, time.type)
    if window.to_ts is not None:
        yield time < literal(window.to_ts, time.type)
    if window.after is not None:
        yield from _beyond(window.after, window.newest_first, order)


def _beyond(after: Key, newest_first: bool, order: Columns) -> Iterator[ColumnElement[bool]]:  # noqa: FBT001
    # The comparison of the time alone says nothing new, but lets the planner prune days.
    values = [literal(value, column.type) for value, column in zip(after, order, strict=True)]
    if newest_first:
        yield order[0] <= values[0]
        yield tuple_(*order) < tuple_(*values)
    else:
        yield order[0] >= values[0]
        yield tuple_(*order) > tuple_(*values)
