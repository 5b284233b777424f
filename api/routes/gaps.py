"""GET /v1/gaps."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.answers import all_listed, listing
from api.cursors import Int64
from api.histories import History
from api.lines import FORMATS
from api.questions import OutcomesQuestion
from api.schemas import Page, Row
from api.state import Here, State
from db.history import gaps as stored
from db.history.gaps import Filters
from db.history.windows import Key, Window
from db.instruments import Listed
from market import gaps as words
from market.gaps import Cause, GapState
from market.times import to_iso

router = APIRouter()


class GapsQuestion(OutcomesQuestion):
    """Which gaps: those that overlap [from, to), in the order in which they were found."""

    kind: Literal["trades", "depths"] | None = Field(default=None, description="Both when left out.")
    state: list[GapState] = Field(default=[], description="All states when left out; may be repeated.")


class Gap(Row):
    """An interval [from_ts, to_ts) in which a feed was not proven up, and what became of it.

    `after_id` and `before_id` are the trades on its edges; no `before_id`: no trade has come since.
    """

    exchange: str
    symbol: str
    gap_id: int
    kind: Literal["trades", "depths"]
    cause: Cause
    state: GapState
    from_ts: str
    to_ts: str
    after_id: str | None
    before_id: str | None
    job_id: int | None
    opened_at: str
    closed_at: str | None
    detail: str

    @classmethod
    def of(cls, listed: Listed, gap: words.Gap) -> "Gap":
        """Return the row of a gap."""
        return cls(
            exchange=listed.instrument.exchange,
            symbol=listed.instrument.symbol,
            gap_id=gap.gap_id,
            kind="depths" if gap.kind == words.DEPTHS else "trades",
            cause=gap.cause,
            state=gap.state,
            from_ts=to_iso(gap.from_ts),
            to_ts=to_iso(gap.to_ts),
            after_id=_text(gap.after_id),
            before_id=_text(gap.before_id),
            job_id=gap.job_id,
            opened_at=to_iso(gap.opened_at),
            closed_at=None if gap.closed_at is None else to_iso(gap.closed_at),
            detail=gap.detail,
        )


@router.get("/v1/gaps", response_model=Page[Gap], responses=FORMATS, tags=["coverage"])
async def gaps(request: Request, question: Annotated[GapsQuestion, Query()], here: Here) -> Response:
    """Read the gaps of feeds, and what became of each."""
    moving = here["settings"].moving_cache_seconds
    return await listing(request, question, here, lambda: _opened(question, here), at_most_seconds=moving)


async def _opened(question: GapsQuestion, here: State) -> History[words.Gap]:
    catalogue = here["catalogue"]
    listed = await all_listed(here, question.exchange, question.symbol)
    filters = Filters(
        instrument_ids=[each.instrument_id for each in listed],
        kind=question.kind,
        states=question.state,
        from_ts=question.from_,
        to_ts=question.to,
    )

    async def read(window: Window) -> list[words.Gap]:
        after = window.after[0] if window.after else None
        async with here["history"].connection() as connection:
            return await stored.read(
                connection, filters, after=after, newest_first=window.newest_first, limit=window.limit
            )

    return History(
        name="gaps",
        key=tuple[Int64],
        row=Gap,
        read=read,
        row_of=lambda gap, _: Gap.of(catalogue.by_id(gap.instrument_id), gap),
        key_of=_key,
    )


def _key(gap: words.Gap) -> Key:
    return (gap.gap_id,)


def _text(trade_id: int | None) -> str | None:
    return None if trade_id is None else str(trade_id)
