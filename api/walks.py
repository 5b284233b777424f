"""All rows of a history, streamed: page after page out of PostgreSQL, as fast as they are taken."""

from collections.abc import AsyncIterator, Sequence
from typing import Final, TypeVar

from fastapi import Response
from fastapi.responses import StreamingResponse

from api.database import Database
from api.histories import History, spoken_for, told
from api.lines import Writer
from api.questions import ListQuestion
from db.history.windows import Key
from runtime.clock import now

_Stored = TypeVar("_Stored")

_PAGE_ROWS: Final = 1000


async def streamed(
    database: Database, history: History[_Stored], question: ListQuestion, after: Key | None, writer: Writer
) -> Response:
    """Answer with every row of the range, or with the first ``limit``; none of them is kept in memory.

    The first page is read before the answer begins, so that what is wrong with the question is told. The
    headers speak of the whole range, as nobody knows its rows yet.
    """
    pages = _pages(history, question, after)
    first: Sequence[_Stored] = await anext(pages, [])
    whole = spoken_for(history, question.window(after, 0), first, now(), more=False)
    found = await told(database, history, first, whole)

    async def body() -> AsyncIterator[bytes]:
        yield writer.head + writer.lines(found.rows)
        async for page in pages:
            rest = await told(database, history, page, None)
            yield writer.lines(rest.rows)

    return StreamingResponse(body(), media_type=writer.media_type, headers=headers(found.coverage))


async def _pages(
    history: History[_Stored], question: ListQuestion, after: Key | None
) -> AsyncIterator[Sequence[_Stored]]:
    """Yield pages, without a hole or a repeat; no connection is held between two of them."""
    left = question.limit
    while left is None or left > 0:
        size = _PAGE_ROWS if left is None else min(left, _PAGE_ROWS)
        page = await history.read(question.window(after, size))
        if page:
            yield page
            after = history.key_of(page[-1])
        if len(page) < size:
            return
        left = None if left is None else left - size


def headers(coverage: float | None) -> dict[str, str]:
    """Return what tells how far a list is proven that has no room for it."""
    told = {} if coverage is None else {"X-Coverage": str(coverage), "X-Partial": str(coverage < 1).lower()}
    return {"Vary": "Accept", "Cache-Control": "no-store", **told}
