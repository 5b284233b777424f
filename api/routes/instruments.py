"""GET /v1/instruments."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import all_listed, listing
from api.cursors import Int32
from api.histories import History
from api.lines import FORMATS
from api.questions import InstrumentsQuestion
from api.schemas import Instrument, Page
from api.state import Here, State
from db.history.windows import Key, Window
from db.instruments import Listed

router = APIRouter()


@router.get("/v1/instruments", response_model=Page[Instrument], responses=FORMATS, tags=["history"])
async def instruments(
    request: Request, question: Annotated[InstrumentsQuestion, Query()], here: Here
) -> Response:
    """List the instruments in the order in which they were listed; none is ever unlisted."""
    return await listing(request, question, here, lambda: _opened(question, here))


async def _opened(question: InstrumentsQuestion, here: State) -> History[Listed]:
    listed = sorted(await all_listed(here, question.exchange, question.symbol), key=_key)

    async def read(window: Window) -> list[Listed]:
        return window.of(listed, _key)

    return History(
        name="instruments",
        key=tuple[Int32],
        row=Instrument,
        read=read,
        row_of=lambda each, _: Instrument.of(each),
        key_of=_key,
    )


def _key(listed: Listed) -> Key:
    return (listed.instrument_id,)
