"""GET /v1/depth."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.answers import all_listed, listing
from api.cursors import Int32, Int64, Ts
from api.histories import History, Tape
from api.lean import LeanRoute
from api.lines import FORMATS
from api.questions import TicksQuestion
from api.schemas import Page, Row
from api.state import Here, State
from api.ticks import reader
from db.history import depths as stored
from db.instruments import Listed
from market import depths as words
from market.depths import LEVELS
from market.gaps import DEPTHS
from market.times import to_iso

router = APIRouter(route_class=LeanRoute)

Level = Annotated[tuple[float, float], Field(description="price and size")]


class Depth(Row):
    """The best levels of a book after one update, the best first."""

    exchange: str
    symbol: str
    ts: str
    update_id: str
    bids: list[Level] = Field(description=f"At most {LEVELS}, from the highest price down.")
    asks: list[Level] = Field(description=f"At most {LEVELS}, from the lowest price up.")
    received_at: str

    @classmethod
    def of(cls, listed: Listed, depth: words.Depth) -> "Depth":
        """Return the row of a depth."""
        return cls(
            exchange=listed.instrument.exchange,
            symbol=listed.instrument.symbol,
            ts=to_iso(depth.ts),
            update_id=str(depth.update_id),
            bids=list(zip(depth.bid_prices, depth.bid_sizes, strict=True)),
            asks=list(zip(depth.ask_prices, depth.ask_sizes, strict=True)),
            received_at=to_iso(depth.received_at),
        )


@router.get("/v1/depth", response_model=Page[Depth], responses=FORMATS, tags=["history"])
async def depth(request: Request, question: Annotated[TicksQuestion, Query()], here: Here) -> Response:
    """Read the tops of order books of an instrument, or of some, in the order of their time and update."""
    return await listing(request, question, here, lambda: _opened(question, here))


async def _opened(question: TicksQuestion, here: State) -> History[words.Depth]:
    catalogue = here["catalogue"]
    listed = await all_listed(here, question.exchange, question.symbol)
    ids = [each.instrument_id for each in listed]

    return History(
        name="depth",
        key=tuple[Ts, Int32, Int64],
        row=Depth,
        read=reader(here, listed, ids, stored.read),
        row_of=lambda depth, _: Depth.of(catalogue.by_id(depth.instrument_id), depth),
        key_of=stored.key,
        tapes=[Tape(each, DEPTHS) for each in ids],
        settles=ids[0] if len(ids) == 1 else None,
    )
