"""GET /v1/coverage."""

from collections.abc import Iterable
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import lines, walks
from api.answers import answer, demand_single, one_listed
from api.lines import FORMATS, Format, Writer
from api.questions import FormattedQuestion, Moment
from api.schemas import Coverage as Share
from api.schemas import Row
from api.state import Here, State
from db import proofs
from market.coverage import Coverage, Interval, without
from market.errors import InvalidInputError
from market.gaps import TRADES
from market.times import to_iso
from runtime.clock import now

router = APIRouter()


class CoverageQuestion(FormattedQuestion):
    """Of which feed, and when."""

    exchange: str
    symbol: str
    kind: Literal["trades", "depths"] = Field(default=TRADES, description="Of which ticks.")
    from_: Moment = Field(alias="from", description="First moment: ISO 8601, or s, ms, us since 1970.")
    to: Moment | None = Field(default=None, description="First moment after; now when left out.")


class Span(Row):
    """[from_ts, to_ts)."""

    from_ts: str
    to_ts: str


class Covered(Row):
    """How much of [from_ts, to_ts) is proven, and where; `share` is always of the whole range.

    `proven` and `unproven` are merged, each in order, and together they fill [from_ts, listed_until):
    when there are more intervals than one answer holds, ask again from `listed_until`.
    """

    exchange: str
    symbol: str
    kind: Literal["trades", "depths"]
    from_ts: str
    to_ts: str
    share: Share
    proven: list[Span]
    unproven: list[Span]
    listed_until: str


class CoveredSpan(Row):
    """A part of [from_ts, to_ts) that is proven, or is not: a line of NDJSON or CSV."""

    exchange: str
    symbol: str
    kind: Literal["trades", "depths"]
    from_ts: str
    to_ts: str
    proven: bool


@router.get("/v1/coverage", response_model=Covered, responses=FORMATS, tags=["coverage"])
async def coverage(request: Request, question: Annotated[CoverageQuestion, Query()], here: Here) -> Response:
    """Tell how far a feed is proven to miss nothing; what came before it was first heard is not."""
    format_ = lines.chosen(question.format, request.headers.get("accept", ""))
    if format_ is not Format.JSON:
        demand_single(request, question)
        return await _lines(question, lines.writer(format_, CoveredSpan), here)
    moving = here["settings"].moving_cache_seconds
    return await answer(request, question, here, lambda: _produce(question, here), at_most_seconds=moving)


async def _produce(question: CoverageQuestion, here: State) -> bytes:
    asked = _asked(question)
    known = await _known(question, asked, here)
    return _covered(question, asked, known, here).model_dump_json().encode()


async def _known(question: CoverageQuestion, asked: Interval, here: State) -> Coverage:
    listed = await one_listed(here["catalogue"], question.exchange, question.symbol)
    instrument_id = listed.instrument_id
    async with here["history"].connection() as connection:
        known = await proofs.read_coverage(connection, [instrument_id], question.kind, *asked)
    return known[instrument_id]


async def _lines(question: CoverageQuestion, writer: Writer, here: State) -> Response:
    """Answer with every part in order."""
    asked = _asked(question)
    known = await _known(question, asked, here)
    proven = known.intervals(*asked)
    rows = [
        CoveredSpan(
            exchange=question.exchange,
            symbol=question.symbol,
            kind=question.kind,
            from_ts=to_iso(each.from_ts),
            to_ts=to_iso(each.to_ts),
            proven=is_proven,
        )
        for each, is_proven in sorted(
            [(each, True) for each in proven] + [(each, False) for each in without([asked], proven)]
        )
    ]
    body = writer.head + writer.lines(rows)
    return Response(body, media_type=writer.media_type, headers=walks.headers(known.share(*asked)))


def _asked(question: CoverageQuestion) -> Interval:
    asked = Interval(question.from_, now() if question.to is None else question.to)
    if asked.from_ts >= asked.to_ts:
        message = f"nothing lies between from {to_iso(asked.from_ts)} and to {to_iso(asked.to_ts)}"
        raise InvalidInputError(message, where="to")
    return asked


def _covered(question: CoverageQuestion, asked: Interval, known: Coverage, here: State) -> Covered:
    proven = known.intervals(*asked)
    unproven = without([asked], proven)
    listed = sorted(proven + unproven)[: here["settings"].max_intervals]
    until = listed[-1].to_ts
    return Covered(
        exchange=question.exchange,
        symbol=question.symbol,
        kind=question.kind,
        from_ts=to_iso(asked.from_ts),
        to_ts=to_iso(asked.to_ts),
        share=known.share(*asked),
        proven=_spans(proven, until),
        unproven=_spans(unproven, until),
        listed_until=to_iso(until),
    )


def _spans(intervals: Iterable[Interval], until: int) -> list[Span]:
    return [
        Span(from_ts=to_iso(each.from_ts), to_ts=to_iso(each.to_ts))
        for each in intervals
        if each.to_ts <= until
    ]
