"""Answer a question out of the cache or PostgreSQL."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar, get_origin

from fastapi import Request, Response

from api import cursors
from api.cache import Produce
from api.catalogue import Catalogue
from api.schemas import HistoryQuestion, Page, Question, Row
from api.settings import ApiSettings
from api.state import State
from db.instruments import Listed
from db.windows import Key, Window
from market.errors import InvalidInputError, UnknownInstrumentError

_Stored = TypeVar("_Stored")


class History(NamedTuple, Generic[_Stored]):
    """A history that is read in pages.

    ``name`` and ``key``, the type of a row's unique key, are what its cursors are bound to.
    """

    name: str
    key: Any
    read: Callable[[Window], Awaitable[Sequence[_Stored]]]
    row_of: Callable[[_Stored], Row]
    key_of: Callable[[_Stored], Key]


async def answer(
    request: Request, question: Question, here: State, produce: Produce, *, at_most_seconds: int | None = None
) -> Response:
    """Answer with what ``produce`` makes, or with what it made for the same question a moment ago."""
    _demand_single(request, question)
    fresh = "no-cache" in request.headers.get("cache-control", "")
    key = f"{request.url.path}?{question.model_dump_json(exclude_defaults=True)}"
    body, outcome = await here["cache"].read(key, produce, fresh=fresh, at_most_seconds=at_most_seconds)
    return Response(body, media_type="application/json", headers={"X-Cache": outcome})


async def page(history: History[_Stored], question: HistoryQuestion, settings: ApiSettings) -> bytes:
    """Return a page as JSON; one row more than asked is read, to know whether there is more."""
    limit = _limit(question, settings)
    stored = await history.read(question.window(_after(history, question), limit + 1))
    kept = stored[:limit]
    more = len(stored) > limit
    rows = [history.row_of(each) for each in kept]
    following = cursors.encode(history.name, history.key_of(kept[-1])) if more else None
    return Page(data=rows, next=following, has_more=more).model_dump_json(serialize_as_any=True).encode()


async def one_listed(catalogue: Catalogue, exchange: str, symbol: str) -> Listed:
    """Return the instrument, looking once whether it was listed just now; raises UnknownInstrumentError."""
    try:
        return catalogue.named(exchange, symbol)
    except UnknownInstrumentError:
        await catalogue.refresh()
        return catalogue.named(exchange, symbol)


async def all_listed(here: State, exchange: str | None, symbol: str | None) -> list[Listed]:
    """Return the instruments that are asked for: one, those of an exchange, or all."""
    if exchange is not None and symbol is not None:
        return [await one_listed(here["catalogue"], exchange, symbol)]
    if symbol is not None:
        message = f"symbol {symbol!r} is asked of no exchange: add exchange=..."
        raise InvalidInputError(message, where="symbol")
    await here["hub"].refresh()
    return list(here["catalogue"]) if exchange is None else here["catalogue"].of_exchange(exchange)


def _demand_single(request: Request, question: Question) -> None:
    """Refuse what is said twice and can be meant once: whichever was dropped might be the one meant."""
    fields = {field.alias or name: field for name, field in type(question).model_fields.items()}
    for name in request.query_params:
        repeated = len(request.query_params.getlist(name)) > 1
        if repeated and get_origin(fields[name].annotation) is not list:
            message = f"{name} is said {len(request.query_params.getlist(name))} times: say it once"
            raise InvalidInputError(message, where=name)


def _limit(question: HistoryQuestion, settings: ApiSettings) -> int:
    limit = question.limit or settings.default_limit
    if limit > settings.max_limit:
        message = f"limit {limit} is above {settings.max_limit}: ask for less and go on with the cursor"
        raise InvalidInputError(message, where="limit")
    return limit


def _after(history: History[_Stored], question: HistoryQuestion) -> Key | None:
    return cursors.decode(history.name, question.cursor, history.key) if question.cursor else None
