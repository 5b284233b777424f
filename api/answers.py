"""Answer a question out of the cache or PostgreSQL."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar, get_origin

from fastapi import Request, Response

from api import lines, patterns, walks
from api.cache import Produce, Product
from api.catalogue import Catalogue
from api.heads import is_head
from api.histories import History, shown, spoken_for, told
from api.lines import Format
from api.questions import ListQuestion, Question
from api.schemas import Page, Row
from api.settings import ApiSettings
from api.state import State
from bus import subjects
from db import settled
from db.history.windows import Key
from db.instruments import Listed
from db.settled import Settled
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
    demand_single(request, question)
    format_ = lines.chosen(question.format, request.headers.get("accept", ""))
    if format_ is Format.JSON:
        paged = _Paged(question, here, at_most_seconds)
        return await _kept(request, question, here, lambda: paged.page(opened), about=paged.about)
    history = await opened()
    if is_head(request.scope):
        question = question.model_copy(update={"limit": 1})
    writer = lines.writer(format_, history.row)
    return await walks.streamed(here["history"], history, question, _after(history, question, here), writer)


async def answer(
    request: Request,
    question: Question,
    here: State,
    produce: Callable[[], Awaitable[bytes]],
    *,
    at_most_seconds: int | None = None,
) -> Response:
    """Answer with what ``produce`` makes, or with what it made for the same question a moment ago."""
    demand_single(request, question)
    seconds = here["settings"].cache_seconds if at_most_seconds is None else at_most_seconds

    async def made() -> Product:
        return Product(await produce(), seconds)

    return await _kept(request, question, here, made, about=subjects.ANY)


async def _kept(
    request: Request, question: Question, here: State, produce: Produce, *, about: str
) -> Response:
    fresh = "no-cache" in request.headers.get("cache-control", "")
    key = f"{request.url.path}?{question.model_dump_json(exclude_defaults=True)}"
    found = await here["cache"].read(key, produce, fresh=fresh, about=about)
    headers = {
        "X-Cache": found.outcome,
        "ETag": f'"{found.tag}"',
        "Cache-Control": f"private, max-age={found.max_age}",
        "Vary": "Accept",
    }
    if _has(request, found.tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(found.body, media_type="application/json", headers=headers)


def _has(request: Request, tag: str) -> bool:
    """Tell whether who asks has this answer already."""
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    return "*" in known or f'"{tag}"' in known


class _Paged:
    """Makes a page of JSON, and says how long it holds."""

    def __init__(self, question: ListQuestion, here: State, at_most_seconds: int | None) -> None:
        self._question = question
        self._here = here
        self._at_most_seconds = at_most_seconds

    @property
    def about(self) -> str:
        """Return which computing again makes the page another."""
        exchange = getattr(self._question, "exchange", None)
        symbol = getattr(self._question, "symbol", None)
        listed = self._here["catalogue"].find(exchange, symbol) if exchange and symbol else None
        return subjects.ANY if listed is None else str(listed.instrument_id)

    async def page(self, opened: Opened[_Stored]) -> Product:
        """Return a page; one row more than asked is read, to know whether there is more."""
        history, here, question = await opened(), self._here, self._question
        limit = _limit(question, here["settings"])
        window = question.window(_after(history, question, here), limit + 1)
        still = await self._settled(history)
        stored = await history.read(window)
        kept, more = stored[:limit], len(stored) > limit
        whole = spoken_for(history, window, kept, now(), more=more)
        rows, coverage = await told(here["history"], history, kept, whole)
        page = Page[Row](
            data=rows,
            next=_next(history, question, here, kept[-1]) if more else None,
            has_more=more,
            coverage=coverage,
            partial=None if coverage is None else coverage < 1,
        )
        closed = still is not None and still.holds(*shown(history, window, kept, more=more))
        return Product(page.model_dump_json(serialize_as_any=True).encode(), self._seconds(closed=closed))

    async def _settled(self, history: History[_Stored]) -> Settled | None:
        """Return what is settled before anything is read: what is changed meanwhile is not kept for long.

        A replica may have yet to hear of a repair that has renewed already what is kept.
        """
        here = self._here
        if history.settles is None or self.about == subjects.ANY or here["history"] is not here["database"]:
            return None
        async with here["database"].connection() as connection:
            return await settled.read(connection, history.settles)

    def _seconds(self, *, closed: bool) -> int:
        settings = self._here["settings"]
        if closed:
            return settings.settled_cache_seconds
        return settings.cache_seconds if self._at_most_seconds is None else self._at_most_seconds


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


def demand_single(request: Request, question: Question) -> None:
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
