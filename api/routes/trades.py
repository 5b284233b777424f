"""GET /v1/trades."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import all_listed, listing
from api.cursors import Int32, Int64, Ts
from api.histories import History, Tape
from api.lean import LeanRoute
from api.lines import FORMATS
from api.questions import TicksQuestion
from api.schemas import Page, Trade
from api.state import Here, State
from api.ticks import reader
from db.history import trades as stored
from market import trades as words
from market.gaps import TRADES

router = APIRouter(route_class=LeanRoute)


@router.get("/v1/trades", response_model=Page[Trade], responses=FORMATS, tags=["history"])
async def trades(request: Request, question: Annotated[TicksQuestion, Query()], here: Here) -> Response:
    """Read trades of an instrument, of some, or of a whole exchange, in the order of their time and id."""
    return await listing(request, question, here, lambda: _opened(question, here))


async def _opened(question: TicksQuestion, here: State) -> History[words.Trade]:
    catalogue = here["catalogue"]
    listed = await all_listed(here, question.exchange, question.symbol)
    ids = [each.instrument_id for each in listed]

    return History(
        name="trades",
        key=tuple[Ts, Int32, Int64],
        row=Trade,
        read=reader(here, listed, ids, stored.read),
        row_of=lambda trade, _: Trade.of(catalogue.by_id(trade.instrument_id), trade),
        key_of=stored.key,
        tapes=[Tape(each, TRADES) for each in ids],
        settles=ids[0] if len(ids) == 1 else None,
    )
