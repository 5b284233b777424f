"""GET /v1/indicators."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import all_listed, listing
from api.cursors import Int16, Int32, Ts
from api.histories import History, Tape
from api.lean import LeanRoute
from api.lines import FORMATS
from api.questions import IndicatorsQuestion
from api.schemas import Indicator, Page
from api.state import Here, State
from db import coverage
from db.history import indicators as stored
from db.history.indicators import StoredIndicator
from db.history.windows import Window
from market.gaps import TRADES

router = APIRouter(route_class=LeanRoute)


@router.get("/v1/indicators", response_model=Page[Indicator], responses=FORMATS, tags=["history"])
async def indicators(
    request: Request, question: Annotated[IndicatorsQuestion, Query()], here: Here
) -> Response:
    """Read what each kind measured last before the end of each minute: the values behind signals."""
    return await listing(request, question, here, lambda: _opened(question, here))


async def _opened(question: IndicatorsQuestion, here: State) -> History[StoredIndicator]:
    catalogue = here["catalogue"]
    ids = [each.instrument_id for each in await all_listed(here, question.exchange, question.symbol)]

    async def read(window: Window) -> list[StoredIndicator]:
        async with here["history"].connection() as connection:
            return await stored.read(connection, window, instrument_ids=ids, kinds=question.kind)

    return History(
        name="indicators",
        key=tuple[Ts, Int32, str, Int16],
        row=Indicator,
        read=read,
        row_of=lambda each, share: Indicator.of(catalogue.by_id(each.instrument_id), each, share),
        key_of=stored.key,
        tapes=[Tape(each, TRADES) for each in ids],
        stretch_of=lambda each: coverage.of_indicator(each.instrument_id, each.indicator),
        settles=ids[0] if len(ids) == 1 else None,
    )
