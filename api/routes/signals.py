"""GET /v1/signals."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import History, all_listed, answer, page
from api.cursors import Int16, Int32, Ts
from api.schemas import Page, Signal, SignalsQuestion
from api.state import Here, State
from db import coverage
from db import signals as stored
from db.signals import StoredSignal
from db.windows import Key, Window

router = APIRouter()

_KEY = tuple[Ts, Int32, str, Int16]
_Covered = tuple[StoredSignal, float]


@router.get("/v1/signals", response_model=Page[Signal], tags=["history"])
async def signals(request: Request, question: Annotated[SignalsQuestion, Query()], here: Here) -> Response:
    """Read signals as they stand now: what was corrected is corrected here, what was withdrawn is gone."""
    return await answer(request, question, here, lambda: _produce(question, here))


async def _produce(question: SignalsQuestion, here: State) -> bytes:
    catalogue = here["catalogue"]
    listed = await all_listed(here, question.exchange, question.symbol)
    ids = [each.instrument_id for each in listed]

    async def read(window: Window) -> list[_Covered]:
        async with here["database"].connection() as connection:
            found = await stored.read(connection, window, instrument_ids=ids, kinds=question.kind)
            stretches = [coverage.of_signal(each.instrument_id, each.signal) for each in found]
            return list(zip(found, await coverage.shares(connection, stretches), strict=True))

    def row_of(covered: _Covered) -> Signal:
        signal, share = covered
        return Signal.of(catalogue.by_id(signal.instrument_id), signal, share)

    def key_of(covered: _Covered) -> Key:
        return stored.key(covered[0])

    history = History("signals", _KEY, read, row_of, key_of)
    return await page(history, question, here["settings"])
