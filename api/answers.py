"""Answer a question out of the cache or PostgreSQL."""

from collections.abc import Awaitable, Callable
from typing import TypeVar, get_origin

from fastapi import Request, Response

from api import lines, patterns, walks
from api.cache import Produce
from api.catalogue import Catalogue
from api.heads import is_head
from api.histories import History, spoken_for, told
from api.lines import Format
from api.questions import ListQuestion, Question
from api.schemas import Page, Row
from api.settings import ApiSettings
from api.state import State
from db.instruments import Listed
from db.windows import Key
from market.errors import InvalidInputError, UnknownInstrumentError
from runtime.clock import now

_Stored = TypeVar("_Stored")

Opened = Callable[[], Awaitable[History[_Stored]]]


async def listing(
    request: Request,
    question: ListQuestion,
    here: State,
    opened: Opened[_Stored],
    *,
    at_most_seconds: int | None = None,
) -> Response:
    """Answer with a page of JSON, perhaps a kept one, or with all rows in another format."""
    format_ = lines.chosen(question.format, request.headers.get("accept", ""))
    if format_ is Format.JSON:
        return await answer(
            request,
            question,
            here,
            lambda: _page(opened, question, here),
            at_most_seconds=at_most_seconds,
        )
    _demand_single(request, question)
    history = await opened()
    if is_head(request.scope):
        question = question.model_copy(update={"limit": 1})
    writer = lines.writer(format_, history.row)
    return await walks.streamed(here["database"], history, question, _after(history, question, here), writer)


async def answer(
    request: Request, question: Question, here: State, produce: Produce, *, at_most_seconds: int | None = None
) -> Response:
    """Answer with what ``produce`` makes, or with what it made for the same question a moment ago."""
    _demand_single(request, question)
    fresh = "no-cache" in request.headers.get("cache-control", "")
    key = f"{request.url.path}?{question.model_dump_json(exclude_defaults=True)}"
    body, outcome = await here["cache"].read(key, produce, fresh=fresh, at_most_seconds=at_most_seconds)
    return Response(body, media_type="application/json", headers={"X-Cache": outcome, "Vary": "Accept"})


async def _page(opened: Opened[_Stored], question: ListQuestion, here: State) -> bytes:
    """Return a page as JSON; one row more than asked is read, to know whether there is more."""
    history = await opened()
    limit = _limit(question, here["settings"])
    window = question.window(_after(history, question, here), limit + 1)
    stored = await history.read(window)
    kept, more = stored[:limit], len(stored) > limit
    whole = spoken_for(history, window, kept, now(), more=more)
    rows, coverage = await told(here["database"], history, kept, whole)
    page = Page[Row](
        data=rows,
        next=_next(history, question, here, kept[-1]) if more else None,
        has_more=more,
        coverage=coverage,
        partial=None if coverage is None else coverage < 1,
    )
    return page.model_dump_json(serialize_as_any=True).encode()


async def one_listed(catalogue: Catalogue, exchange: str, symbol: str) -> Listed:
    """Return the instrument, looking once whether it was listed just now; raises UnknownInstrumentError."""
    try:
        return catalogue.named(exchange, symbol)
    except UnknownInstrumentError:
        await catalogue.refresh()
        return catalogue.named(exchange, symbol)


async def all_listed(here: State, exchange: str | None, symbol: str | None) -> list[Listed]:
    """Return the instruments that are asked for; raises UnknownInstrumentError where none can be meant."""
    if exchange is not None and symbol is not None and not patterns.is_pattern(symbol):
        return [await one_listed(here["catalogue"], exchange, symbol)]
    await here["hub"].refresh()
    return here["catalogue"].matching(exchange, symbol)


def _demand_single(request: Request, question: Question) -> None:
    """Refuse what is said twice and can be meant once: whichever was dropped might be the one meant."""
    fields = {field.alias or name: field for name, field in type(question).model_fields.items()}
    for name in request.query_params:
        repeated = len(request.query_params.getlist(name)) > 1
        if repeated and get_origin(fields[name].annotation) is not list:
            message = f"{name} is said {len(request.query_params.getlist(name))} times: say it once"
            raise InvalidInputError(message, where=name)


def _limit(question: ListQuestion, settings: ApiSettings) -> int:
    limit = question.limit or settings.default_limit
    if limit > settings.max_limit:
        message = (
            f"limit {limit} is above {settings.max_limit}: ask for less and go on with the cursor, "
            "or for format=ndjson, which has no pages"
        )
        raise InvalidInputError(message, where="limit")
    return limit


def _after(history: History[_Stored], question: ListQuestion, here: State) -> Key | None:
    if not question.cursor:
        return None
    key: Key = here["cursors"].decode(_about(history, question), question.cursor, history.key)
    return key


def _next(history: History[_Stored], question: ListQuestion, here: State, last: _Stored) -> str:
    return here["cursors"].encode(_about(history, question), history.key_of(last))


def _about(history: History[_Stored], question: ListQuestion) -> str:
    """Return what a cursor is bound to: the question, whatever its page and its format."""
    paging = {"cursor", "limit", "format"}
    return f"{history.name}?{question.model_dump_json(exclude=paging, exclude_defaults=True)}"
