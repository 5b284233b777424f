"""History: rows that are read page by page, while they are iterated over."""

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from heliograph_client.columns import columns
from heliograph_client.decoding import decoded
from heliograph_client.doors import Door, Question
from heliograph_client.rows import Row

RowT = TypeVar("RowT", bound=Row)

_PAGE_ROWS = 1000


class Page(msgspec.Struct, frozen=True):
    """A page as it comes."""

    data: list[msgspec.Raw]
    next: str | None
    has_more: bool


class Walk:
    """From page to page, up to ``limit`` rows, without any I/O."""

    def __init__(self, question: Question, limit: int | None) -> None:
        """Begin with the first page."""
        self.question: Question | None = None if limit == 0 else question
        self._asked = question
        self._left = limit

    def take(self, body: bytes) -> list[msgspec.Raw]:
        """Return the rows of a page; ``question`` is what to ask next, None at the end."""
        page = decoded(body, Page)
        rows = page.data if self._left is None else page.data[: self._left]
        self._left = None if self._left is None else self._left - len(rows)
        more = page.has_more and page.next is not None and self._left != 0
        following = {**self._asked.parameters, "cursor": page.next}
        self.question = self._asked._replace(parameters=following) if more else None
        return rows


class History(Generic[RowT]):
    """Rows of one kind. Iterate with ``for`` or with ``async for``; each time it is asked anew."""

    def __init__(self, door: Door, question: Question, kind: type[RowT], *, limit: int | None) -> None:
        """Ask nothing yet. ``limit``: rows in all."""
        rows = _PAGE_ROWS if limit is None else max(1, min(limit, _PAGE_ROWS))
        self._door = door
        self._question = question._replace(parameters={**question.parameters, "limit": rows})
        self._kind = kind
        self._limit = limit

    def __iter__(self) -> Iterator[RowT]:
        """Iterate over the rows, in their order."""
        for page in self.pages():
            yield from page

    async def __aiter__(self) -> AsyncIterator[RowT]:
        """Iterate over the rows, in their order."""
        async for page in self.apages():
            for row in page:
                yield row

    def pages(self) -> Iterator[list[RowT]]:
        """Iterate over pages of rows."""
        for page in self._read():
            yield self._rows(page)

    async def apages(self) -> AsyncIterator[list[RowT]]:
        """Iterate over pages of rows."""
        async for page in self._read_async():
            yield self._rows(page)

    def texts(self) -> Iterator[str]:
        """Iterate over the rows as JSON, just as they came."""
        for page in self._read():
            yield from (bytes(row).decode() for row in page)

    def columns(self) -> dict[str, list[Any]]:
        """Return all rows as columns, for ``DataFrame(...)``; fields of fields become ``evidence.rsi``."""
        return columns(self, self._kind)

    async def acolumns(self) -> dict[str, list[Any]]:
        """Return all rows as columns, as ``columns`` does."""
        return columns([row async for row in self], self._kind)

    def _rows(self, page: Sequence[msgspec.Raw]) -> list[RowT]:
        return [decoded(row, self._kind) for row in page]

    def _read(self) -> Generator[list[msgspec.Raw]]:
        walk = Walk(self._question, self._limit)
        with self._door.opened() as ask:
            while walk.question is not None:
                yield walk.take(ask(walk.question))

    async def _read_async(self) -> AsyncGenerator[list[msgspec.Raw]]:
        walk = Walk(self._question, self._limit)
        async with self._door.opened_async() as ask:
            while walk.question is not None:
                yield walk.take(await ask(walk.question))


class Answer(Generic[RowT]):
    """One thing: ``await`` it, or ``get`` it."""

    def __init__(self, door: Door, question: Question, kind: type[RowT]) -> None:
        """Ask nothing yet."""
        self._door = door
        self._question = question
        self._kind = kind

    def get(self) -> RowT:
        """Ask, and return what is answered."""
        with self._door.opened() as ask:
            return decoded(ask(self._question), self._kind)

    def __await__(self) -> Generator[Any, None, RowT]:
        """Ask, and give what is answered."""
        return self._get_async().__await__()

    async def _get_async(self) -> RowT:
        async with self._door.opened_async() as ask:
            return decoded(await ask(self._question), self._kind)
