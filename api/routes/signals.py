"""GET /v1/signals."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import History, answer, one_listed, page
from api.cursors import Int16, Int32, Ts
from api.schemas import Page, Signal, SignalsQuestion
from api.state import Here, State
from db import signals as stored
from db.instruments import Listed
from db.signals import StoredSignal
from db.windows import Window
from market.errors import InvalidInputError

router = APIRouter()

_KEY = tuple[Ts, Int32, str, Int16]


@router.get("/v1/signals", response_model=Page[Signal], tags=["history"])
async def signals(request: Request, question: Annotated[SignalsQuestion, Query()], here: Here) -> Response:
    """Read signals as they stand now: what was corrected is corrected here, what was withdrawn is gone."""
    return await answer(request, question, here, lambda: _produce(question, here))


async def _produce(question: SignalsQuestion, here: State) -> bytes:
    catalogue = here["catalogue"]
    ids = [listed.instrument_id for listed in await _listed(question, here)]

    async def read(window: Window) -> list[StoredSignal]:
        async with here["database"].connection() as connection:
            return await stored.read(connection, window, instrument_ids=ids, kinds=question.kind)

    def row_of(signal: StoredSignal) -> Signal:
        return Signal.of(catalogue.by_id(signal.instrument_id), signal)

    history = History("signals", _KEY, read, row_of, stored.key)
    return await page(history, question, here["settings"])


async def _listed(question: SignalsQuestion, here: State) -> list[Listed]:
    catalogue = here["catalogue"]
    if question.exchange is None:
        if question.symbol is not None:
            message = f"symbol {question.symbol!r} is asked of no exchange: add exchange=..."
            raise InvalidInputError(message)
        await here["hub"].refresh()
        return list(catalogue)
    if question.symbol is not None:
        return [await one_listed(catalogue, question.exchange, question.symbol)]
    await here["hub"].refresh()
    return catalogue.of_exchange(question.exchange)
