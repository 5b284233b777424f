"""GET /v1/verifications."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.answers import all_listed, listing
from api.cursors import Int64
from api.histories import History
from api.lines import FORMATS
from api.questions import OutcomesQuestion
from api.schemas import Page, Row
from api.state import Here, State
from db.history import verifications as stored
from db.history.verifications import StoredVerification
from db.history.windows import Key, Window
from db.instruments import Listed
from db.verifications import DIFFERENCES_KEPT
from market import verifications as words
from market.times import to_iso

router = APIRouter()


class VerificationsQuestion(OutcomesQuestion):
    """Which verifications: of stretches that overlap [from, to), in the order in which they were made."""


class Difference(Row):
    """A bar (`about`: its interval), or what a kind told; null: there is, or should be, none."""

    noun: Literal["bar", "signal", "indicator", "fold"]
    about: str
    ts: str
    stored: dict[str, Any] | None
    right: dict[str, Any] | None

    @classmethod
    def of(cls, difference: words.Difference) -> "Difference":
        """Return the row of a difference."""
        return cls.model_validate({**msgspec.structs.asdict(difference), "ts": to_iso(difference.ts)})


class Unverified(Row):
    """A part [from_ts, to_ts) that could not be judged, and why."""

    reason: str
    about: str
    from_ts: str
    to_ts: str

    @classmethod
    def of(cls, part: words.Unverified) -> "Unverified":
        """Return the row of a part."""
        return cls(
            reason=part.reason, about=part.about, from_ts=to_iso(part.from_ts), to_ts=to_iso(part.to_ts)
        )


class Verification(Row):
    """What came of computing [from_ts, to_ts) again: rows compared, and those that differ."""

    exchange: str
    symbol: str
    verification_id: int
    from_ts: str
    to_ts: str
    started_at: str
    finished_at: str
    code_version: str
    equal: bool
    bars: int
    signals: int
    indicators: int
    differences: int
    found: list[Difference] = Field(description=f"The first {DIFFERENCES_KEPT} of the differences.")
    unverified: list[Unverified]

    @classmethod
    def of(cls, listed: Listed, made: StoredVerification) -> "Verification":
        """Return the row of a verification."""
        return cls(
            exchange=listed.instrument.exchange,
            symbol=listed.instrument.symbol,
            verification_id=made.verification_id,
            from_ts=to_iso(made.from_ts),
            to_ts=to_iso(made.to_ts),
            started_at=to_iso(made.started_at),
            finished_at=to_iso(made.finished_at),
            code_version=made.code_version,
            equal=not made.differences,
            bars=made.bars,
            signals=made.signals,
            indicators=made.indicators,
            differences=made.differences,
            found=[Difference.of(each) for each in made.found],
            unverified=[Unverified.of(each) for each in made.unverified],
        )


@router.get("/v1/verifications", response_model=Page[Verification], responses=FORMATS, tags=["operation"])
async def verifications(
    request: Request, question: Annotated[VerificationsQuestion, Query()], here: Here
) -> Response:
    """Read what scheduled verifications found."""
    moving = here["settings"].moving_cache_seconds
    return await listing(request, question, here, lambda: _opened(question, here), at_most_seconds=moving)


async def _opened(question: VerificationsQuestion, here: State) -> History[StoredVerification]:
    catalogue = here["catalogue"]
    listed = await all_listed(here, question.exchange, question.symbol)

    async def read(window: Window) -> list[StoredVerification]:
        async with here["history"].connection() as connection:
            return await stored.read(
                connection,
                [each.instrument_id for each in listed],
                from_ts=window.from_ts,
                to_ts=window.to_ts,
                after=window.after[0] if window.after else None,
                newest_first=window.newest_first,
                limit=window.limit,
            )

    return History(
        name="verifications",
        key=tuple[Int64],
        row=Verification,
        read=read,
        row_of=lambda made, _: Verification.of(catalogue.by_id(made.instrument_id), made),
        key_of=_key,
    )


def _key(made: StoredVerification) -> Key:
    return (made.verification_id,)
