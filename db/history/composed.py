"""Statements that read a page of history, composed with SQLAlchemy Core, once for each shape of a window."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ARRAY, ColumnElement, Integer, Select, bindparam, cast, func, select, true, tuple_
from sqlalchemy.dialects.postgresql import asyncpg

from db.errors import translated
from db.history.windows import Shape, after_name

if TYPE_CHECKING:
    from asyncpg import Record

    from db.connections import Connection

Columns = Sequence[ColumnElement[Any]]

_LIMIT: Final = bindparam("limit", type_=Integer)

_dialect: Final = asyncpg.dialect()  # type: ignore[no-untyped-call]


class Statement:
    """A statement as the server takes it, and the parameters that it has."""

    def __init__(self, composed: Select[Any]) -> None:
        """Compile it: that takes as long as the server takes to answer."""
        compiled: Any = composed.compile(dialect=_dialect, compile_kwargs={"render_postcompile": True})
        self._text = str(compiled)
        self._names: Sequence[str] = compiled.positiontup or ()
        given = compiled.params.items()
        self._literals = {name: value for name, value in given if value is not None}

    async def fetch(
        self, connection: "Connection", doing: str, values: Mapping[str, Any] | None = None
    ) -> "list[Record]":
        """Run it on a connection of ours, where times are microseconds, with the values of its parameters."""
        given = {**self._literals, **(values or {})}
        with translated(doing):
            return await connection.fetch(self._text, *(given[name] for name in self._names))


def merged(statement: Select[Any], shape: Shape, order: Columns, instrument: ColumnElement[int]) -> Statement:
    """Return the statement cut to a window over some instruments, ordered by ``order``.

    ``order`` begins with the time and ends with what makes it unique. Each instrument gives at most one
    page from its own index, so the whole history is never sorted.
    """
    if shape.single:
        return Statement(_cut(statement.where(instrument == bindparam("instrument_id")), shape, order))
    ids = cast(bindparam("ids"), ARRAY(Integer))
    wanted = func.unnest(ids).table_valued("id", name="wanted").render_derived()
    page = _cut(statement.where(instrument == wanted.c.id), shape, order).lateral("page")
    pages = select(page).select_from(wanted.join(page, true()))
    return Statement(_cut(pages, shape, [page.c[column.name] for column in order]))


def _cut(statement: Select[Any], shape: Shape, order: Columns) -> Select[Any]:
    directed = [column.desc() for column in order] if shape.newest_first else order
    return statement.where(*_conditions(shape, order)).order_by(*directed).limit(_LIMIT)


def _conditions(shape: Shape, order: Columns) -> Iterator[ColumnElement[bool]]:
    time = order[0]
    if shape.begins:
        yield time >= bindparam("from_ts", type_=time.type)
    if shape.ends:
        yield time < bindparam("to_ts", type_=time.type)
    if shape.continues:
        yield from _beyond(order, newest_first=shape.newest_first)


def _beyond(order: Columns, *, newest_first: bool) -> Iterator[ColumnElement[bool]]:
    # The comparison of the time alone says nothing new, but lets the planner prune days.
    values = [bindparam(after_name(place), type_=column.type) for place, column in enumerate(order)]
    if newest_first:
        yield order[0] <= values[0]
        yield tuple_(*order) < tuple_(*values)
    else:
        yield order[0] >= values[0]
        yield tuple_(*order) > tuple_(*values)
