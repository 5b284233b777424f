"""GET /v1/bars."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import History, answer, one_listed, page
from api.cursors import Ts
from api.schemas import Bar, BarsQuestion, Page
from api.state import Here, State
from db import bars as stored
from db import coverage, days
from db.bars import SourcedBar
from db.windows import Key, Window
from market.bars import SERVED
from market.times import DAY

if TYPE_CHECKING:
    from db.connections import Connection

router = APIRouter()

_KEY = tuple[Ts]
_Covered = tuple[SourcedBar, float]


@router.get("/v1/bars", response_model=Page[Bar], tags=["history"])
async def bars(request: Request, question: Annotated[BarsQuestion, Query()], here: Here) -> Response:
    """Read final bars of an instrument; there is none for an interval without trades."""
    return await answer(request, question, here, lambda: _produce(question, here))


async def _produce(question: BarsQuestion, here: State) -> bytes:
    listed = await one_listed(here["catalogue"], question.exchange, question.symbol)

    async def read(window: Window) -> list[_Covered]:
        async with here["database"].connection() as connection:
            found = await _read(connection, window, listed.instrument_id, SERVED[question.interval])
            stretches = [coverage.of_bar(listed.instrument_id, each.bar) for each in found]
            return list(zip(found, await coverage.shares(connection, stretches), strict=True))

    def row_of(covered: _Covered) -> Bar:
        return Bar.of(listed, *covered)

    def key_of(covered: _Covered) -> Key:
        return stored.key(covered[0])

    history = History("bars", _KEY, read, row_of, key_of)
    return await page(history, question, here["settings"])


async def _read(
    connection: "Connection", window: Window, instrument_id: int, interval: int
) -> list[SourcedBar]:
    if interval == DAY:
        return await days.read(connection, window, instrument_id=instrument_id)
    return await stored.read(connection, window, instrument_id=instrument_id, interval=interval)
