"""GET /v1/quotes."""

from math import isnan
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import all_listed, listing
from api.cursors import Int32, Int64, Ts
from api.histories import History
from api.lean import LeanRoute
from api.lines import FORMATS
from api.questions import TicksQuestion
from api.schemas import Page, Row
from api.state import Here, State
from api.ticks import reader
from db.history import quotes as stored
from db.instruments import Listed
from market import quotes as words
from market.times import to_iso

router = APIRouter(route_class=LeanRoute)


class Quote(Row):
    """The best bid and ask after one update; a size is null where the venue does not tell it."""

    exchange: str
    symbol: str
    ts: str
    update_id: str
    bid_price: float
    bid_size: float | None
    ask_price: float
    ask_size: float | None
    received_at: str

    @classmethod
    def of(cls, listed: Listed, quote: words.Quote) -> "Quote":
        """Return the row of a quote."""
        return cls(
            exchange=listed.instrument.exchange,
            symbol=listed.instrument.symbol,
            ts=to_iso(quote.ts),
            update_id=str(quote.update_id),
            bid_price=quote.bid_price,
            bid_size=_told(quote.bid_size),
            ask_price=quote.ask_price,
            ask_size=_told(quote.ask_size),
            received_at=to_iso(quote.received_at),
        )


def _told(size: float) -> float | None:
    return None if isnan(size) else size


@router.get("/v1/quotes", response_model=Page[Quote], responses=FORMATS, tags=["history"])
async def quotes(request: Request, question: Annotated[TicksQuestion, Query()], here: Here) -> Response:
    """Read best bids and asks of an instrument, or of some, in the order of their time and update."""
    return await listing(request, question, here, lambda: _opened(question, here))


async def _opened(question: TicksQuestion, here: State) -> History[words.Quote]:
    catalogue = here["catalogue"]
    listed = await all_listed(here, question.exchange, question.symbol)
    ids = [each.instrument_id for each in listed]

    return History(
        name="quotes",
        key=tuple[Ts, Int32, Int64],
        row=Quote,
        read=reader(here, listed, ids, stored.read),
        row_of=lambda quote, _: Quote.of(catalogue.by_id(quote.instrument_id), quote),
        key_of=stored.key,
        settles=ids[0] if len(ids) == 1 else None,
    )
