"""GET /v1/signals, one of them, and why it was told."""

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import History, all_listed, answer, one_listed, page
from api.cursors import Int16, Int32, Ts
from api.explanations import Explanation, ExplanationQuestion
from api.schemas import Page, Question, Signal, SignalsQuestion
from api.state import Here, State
from db import coverage
from db import signals as stored
from db.instruments import Listed
from db.signals import StoredSignal
from db.windows import Key, Window
from market import signal_ids

router = APIRouter()

_KEY = tuple[Ts, Int32, str, Int16]
_Covered = tuple[StoredSignal, float]


@router.get("/v1/signals", response_model=Page[Signal], tags=["history"])
async def signals(request: Request, question: Annotated[SignalsQuestion, Query()], here: Here) -> Response:
    """Read signals as they stand now: what was corrected is corrected here, what was withdrawn is gone."""
    return await answer(request, question, here, lambda: _produce(question, here))


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
