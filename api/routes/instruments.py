"""GET /v1/instruments."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import answer
from api.schemas import Instrument, InstrumentsQuestion, Page
from api.state import Here

router = APIRouter()


@router.get("/v1/instruments", response_model=Page[Instrument], tags=["history"])
async def instruments(
    request: Request, question: Annotated[InstrumentsQuestion, Query()], here: Here
) -> Response:
    """List the instruments; none is ever unlisted."""

    async def produce() -> bytes:
        catalogue = here["catalogue"]
        await here["hub"].refresh()
        listed = catalogue if question.exchange is None else catalogue.of_exchange(question.exchange)
        rows = [Instrument.of(each) for each in listed]
        return Page(data=rows, next=None, has_more=False).model_dump_json().encode()

    return await answer(request, question, here, produce)
