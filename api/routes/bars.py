"""GET /v1/bars."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import all_listed, listing
from api.cursors import Int32, Ts
from api.histories import History, Tape
from api.lean import LeanRoute
from api.lines import FORMATS
from api.questions import BarsQuestion
from api.schemas import Bar, Page
from api.state import Here, State
from db import coverage
from db.history import bars as stored
from db.history import days
from db.history.bars import SourcedBar
from db.history.windows import Window
from market.bars import SERVED
from market.gaps import TRADES
from market.times import DAY

router = APIRouter(route_class=LeanRoute)


@router.get("/v1/bars", response_model=Page[Bar], responses=FORMATS, tags=["history"])
async def bars(request: Request, question: Annotated[BarsQuestion, Query()], here: Here) -> Response:
    """Read the final bars of an instrument, or of some, in the order of their start."""
    return await listing(request, question, here, lambda: _opened(question, here))


async def _opened(question: BarsQuestion, here: State) -> History[SourcedBar]:
    catalogue, interval = here["catalogue"], SERVED[question.interval]
    ids = [each.instrument_id for each in await all_listed(here, question.exchange, question.symbol)]

    async def read(window: Window) -> list[SourcedBar]:
        async with here["history"].connection() as connection:
            if interval == DAY:
                return await days.read(connection, window, instrument_ids=ids)
            return await stored.read(connection, window, instrument_ids=ids, interval=interval)

    return History(
        name="bars",
        key=tuple[Ts, Int32],
        row=Bar,
        read=read,
        row_of=lambda each, share: Bar.of(catalogue.by_id(each.instrument_id), each, share),
        key_of=stored.key,
        tapes=[Tape(each, TRADES) for each in ids],
        stretch_of=lambda each: coverage.of_bar(each.instrument_id, each.bar),
        lasts=interval,
        settles=ids[0] if len(ids) == 1 else None,
    )
