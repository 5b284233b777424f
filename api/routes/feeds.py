"""GET /v1/feeds: what is listened to, for everybody; the operator's routes tell more."""

import re
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import patterns
from api.answers import listing
from api.histories import History
from api.lines import FORMATS
from api.questions import ExchangeName, ListQuestion, SymbolPattern
from api.schemas import Page, Row
from api.state import Here, State
from db import feeds as stored
from db.feeds import FeedRow
from db.history.windows import Key, Window
from market.channels import WILDCARD
from market.times import to_iso

router = APIRouter()

FeedState = Literal["active", "paused", "closed"]

_ADDRESS: Final = re.compile(r"\b\w+://\S+")


class FeedsQuestion(ListQuestion):
    """Which feeds."""

    exchange: ExchangeName | None = Field(default=None, description="All exchanges when left out.")
    symbol: SymbolPattern | None = None
    state: list[FeedState] = Field(default=[], description="All states when left out; may be repeated.")


class Feed(Row):
    """A feed; closed ones say why in `reason`. `last_frame_at` is null where nobody listens."""

    exchange: str
    symbol: str
    state: FeedState
    reason: str
    added_at: str
    changed_at: str
    last_frame_at: str | None

    @classmethod
    def of(cls, row: FeedRow) -> "Feed":
        """Return the row of a feed."""
        return cls.model_validate(
            {
                "exchange": row.exchange,
                "symbol": row.symbol,
                "state": row.state,
                "reason": _without_addresses(row),
                "added_at": to_iso(row.added_at),
                "changed_at": to_iso(row.changed_at),
                "last_frame_at": None if row.last_frame_at is None else to_iso(row.last_frame_at),
            }
        )


@router.get("/v1/feeds", response_model=Page[Feed], responses=FORMATS, tags=["operation"])
async def feeds(request: Request, question: Annotated[FeedsQuestion, Query()], here: Here) -> Response:
    """Read what is listened to, in the order of exchange and symbol."""
    moving = here["settings"].moving_cache_seconds
    return await listing(request, question, here, lambda: _opened(question, here), at_most_seconds=moving)


async def _opened(question: FeedsQuestion, here: State) -> History[FeedRow]:
    matches = patterns.matcher(WILDCARD if question.symbol is None else question.symbol)

    async def read(window: Window) -> list[FeedRow]:
        async with here["database"].connection() as connection:
            rows = await stored.feeds(connection)
        asked = [
            row
            for row in rows
            if question.exchange in (None, row.exchange)
            and matches(row.symbol)
            and (not question.state or row.state in question.state)
        ]
        return window.of(sorted(asked, key=_key), _key)

    return History(
        name="feeds",
        key=tuple[str, str],
        row=Feed,
        read=read,
        row_of=lambda row, _: Feed.of(row),
        key_of=_key,
    )


def _key(row: FeedRow) -> Key:
    return (row.exchange, row.symbol)


def _without_addresses(row: FeedRow) -> str:
    """Return why a feed is closed, to whom where it is reached is no business of."""
    reason = row.reason
    for address in (row.stream_url, row.rest_url):
        reason = reason.replace(address, "its address") if address else reason
    return _ADDRESS.sub("its address", reason)
