"""GET /v1/signals, one of them, and why it was told."""

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import all_listed, answer, listing, one_listed
from api.cursors import Int16, Int32, Ts
from api.explanations import Explanation, ExplanationQuestion
from api.histories import History, Tape
from api.lean import LeanRoute
from api.lines import FORMATS
from api.questions import Question, SignalsQuestion
from api.schemas import Page, Signal
from api.state import Here, State
from db import coverage
from db.history import signals as stored
from db.history.signals import Filters
from db.history.windows import Window
from db.instruments import Listed
from db.signals import StoredSignal
from market import signal_ids
from market.gaps import TRADES

router = APIRouter(route_class=LeanRoute)


@router.get("/v1/signals", response_model=Page[Signal], responses=FORMATS, tags=["history"])
async def signals(request: Request, question: Annotated[SignalsQuestion, Query()], here: Here) -> Response:
    """Read signals as they stand now: what was corrected is corrected here, what was withdrawn is gone."""
    return await listing(request, question, here, lambda: _opened(question, here))


@router.get("/v1/signals/{id}", response_model=Signal, tags=["history"])
async def signal(
    request: Request,
    name: Annotated[str, Path(alias="id")],
    question: Annotated[Question, Query()],
    here: Here,
) -> Response:
    """Read one signal as it stands now."""

    async def produce() -> bytes:
        found = await _found(here, name)
        return Signal.of(found.listed, found.stored, found.coverage).model_dump_json().encode()

    return await answer(request, question, here, produce)


@router.get("/v1/signals/{id}/explain", response_model=Explanation, tags=["history"])
async def explain(
    request: Request,
    name: Annotated[str, Path(alias="id")],
    question: Annotated[ExplanationQuestion, Query()],
    here: Here,
) -> Response:
    """Explain a signal: what it was made of, each step to it, and whether the same is decided again."""

    async def produce() -> bytes:
        found = await _found(here, name)
        async with here["database"].connection() as connection:
            told = await here["explaining"](
                connection, found.listed.exchange_id, found.stored, question.limit
            )
        row = Explanation.of(found.listed, found.stored, found.coverage, told)
        return row.model_dump_json().encode()

    return await answer(request, question, here, produce)


class _Found(NamedTuple):
    listed: Listed
    stored: StoredSignal
    coverage: float


async def _found(here: State, name: str) -> _Found:
    wanted = signal_ids.parse(name)
    listed = await one_listed(here["catalogue"], wanted.exchange, wanted.symbol)
    async with here["database"].connection() as connection:
        found = await stored.named(connection, listed, wanted)
        [share] = await coverage.shares(connection, [coverage.of_signal(listed.instrument_id, found.signal)])
    return _Found(listed, found, share)


async def _opened(question: SignalsQuestion, here: State) -> History[StoredSignal]:
    catalogue = here["catalogue"]
    ids = [each.instrument_id for each in await all_listed(here, question.exchange, question.symbol)]
    filters = Filters(kinds=question.kind, min_strength=question.min_strength)

    async def read(window: Window) -> list[StoredSignal]:
        async with here["history"].connection() as connection:
            return await stored.read(connection, window, instrument_ids=ids, filters=filters)

    return History(
        name="signals",
        key=tuple[Ts, Int32, str, Int16],
        row=Signal,
        read=read,
        row_of=lambda each, share: Signal.of(catalogue.by_id(each.instrument_id), each, share),
        key_of=stored.key,
        tapes=[Tape(each, TRADES) for each in ids],
        stretch_of=lambda each: coverage.of_signal(each.instrument_id, each.signal),
        settles=ids[0] if len(ids) == 1 else None,
    )
