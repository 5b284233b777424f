"""GET /v1/trades."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import History, answer, one_listed, page
from api.cursors import Int32, Int64, Ts
from api.schemas import Page, Trade, TradesQuestion
from api.state import Here, State
from db import trades as stored
from db.windows import Key, Window
from market import trades as words

router = APIRouter()

_KEY_OF_ONE = tuple[Ts, Int64]
_KEY_OF_ALL = tuple[Ts, Int32, Int64]


@router.get("/v1/trades", response_model=Page[Trade], tags=["history"])
async def trades(request: Request, question: Annotated[TradesQuestion, Query()], here: Here) -> Response:
    """Read trades of an instrument, or of a whole exchange, in the order of their time and id."""
    return await answer(request, question, here, lambda: _produce(question, here))


async def _produce(question: TradesQuestion, here: State) -> bytes:
    catalogue = here["catalogue"]
    one = question.symbol is not None
    if question.symbol is not None:
        listed = await one_listed(catalogue, question.exchange, question.symbol)
    else:
        await here["hub"].refresh()
        listed = catalogue.of_exchange(question.exchange)[0]
    instrument_id = listed.instrument_id if one else None

    async def read(window: Window) -> list[words.Trade]:
        async with here["database"].connection() as connection:
            return await stored.read(
                connection, window, exchange_id=listed.exchange_id, instrument_id=instrument_id
            )

    def row_of(trade: words.Trade) -> Trade:
        return Trade.of(catalogue.by_id(trade.instrument_id), trade)

    def key_of(trade: words.Trade) -> Key:
        return stored.key(trade, one_instrument=one)

    name, key = ("trades", _KEY_OF_ONE) if one else ("trades of an exchange", _KEY_OF_ALL)
    history = History(name, key, read, row_of, key_of)
    return await page(history, question, here["settings"])
