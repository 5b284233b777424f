"""GET /v1/indicators."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import History, all_listed, answer, page
from api.cursors import Int16, Int32, Ts
from api.schemas import Indicator, IndicatorsQuestion, Page
from api.state import Here, State
from db import coverage
from db import indicators as stored
from db.indicators import StoredIndicator
from db.windows import Key, Window

router = APIRouter()

_KEY = tuple[Ts, Int32, str, Int16]
_Covered = tuple[StoredIndicator, float]


@router.get("/v1/indicators", response_model=Page[Indicator], tags=["history"])
async def indicators(
    request: Request, question: Annotated[IndicatorsQuestion, Query()], here: Here
) -> Response:
    """Read what each kind measured last before the end of each minute: the values behind signals."""
    return await answer(request, question, here, lambda: _produce(question, here))


async def _produce(question: IndicatorsQuestion, here: State) -> bytes:
    catalogue = here["catalogue"]
    listed = await all_listed(here, question.exchange, question.symbol)
    ids = [each.instrument_id for each in listed]

    async def read(window: Window) -> list[_Covered]:
        async with here["database"].connection() as connection:
            found = await stored.read(connection, window, instrument_ids=ids, kinds=question.kind)
            stretches = [coverage.of_indicator(each.instrument_id, each.indicator) for each in found]
            return list(zip(found, await coverage.shares(connection, stretches), strict=True))

    def row_of(covered: _Covered) -> Indicator:
        indicator, share = covered
        return Indicator.of(catalogue.by_id(indicator.instrument_id), indicator, share)

    def key_of(covered: _Covered) -> Key:
        return stored.key(covered[0])

    history = History("indicators", _KEY, read, row_of, key_of)
    return await page(history, question, here["settings"])
