"""What REST is asked, as it is documented in /docs."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from api import moments
from api.lines import Format
from db.history.windows import Key, Window
from market.errors import InvalidInputError
from market.times import to_iso


def _moment(value: object) -> int | None:
    if value is None:
        return None
    try:
        return moments.parse(str(value))
    except InvalidInputError as error:
        raise ValueError(str(error)) from error


Moment = Annotated[
    int, BeforeValidator(_moment), WithJsonSchema({"type": "string", "examples": ["2026-11-21T10:00:00Z"]})
]

ExchangeName = Annotated[str, Field(max_length=64)]
SymbolPattern = Annotated[
    str, Field(max_length=64, description="One symbol, or a pattern such as `SOL/*`; all when left out.")
]
KindName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,62}$")]


class Order(StrEnum):
    """Which end of the range a page begins at."""

    OLDEST_FIRST = "asc"
    NEWEST_FIRST = "desc"


class Question(BaseModel):
    """A question that is refused when it asks what we do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FormattedQuestion(Question):
    """A question whose answer is a list."""

    format: Format | None = Field(
        default=None, description="json, ndjson, or csv; when left out, what `Accept` asks for, or json."
    )


class ListQuestion(FormattedQuestion):
    """Which part of a list: a page at a time, or in ndjson and csv all of it."""

    order: Order = Field(default=Order.OLDEST_FIRST, description="asc: oldest first; desc: newest first.")
    cursor: str | None = Field(default=None, max_length=500, description="`next` of the page before.")
    limit: int | None = Field(
        default=None, ge=1, description="Rows in the page; in ndjson and csv: in all, no bound when left out."
    )

    def window(self, after: Key | None, limit: int) -> Window:
        """Return the question as the database is asked it."""
        return Window(after=after, newest_first=self.order is Order.NEWEST_FIRST, limit=limit)


class HistoryQuestion(ListQuestion):
    """Which part of a history: [from, to)."""

    from_: Moment | None = Field(
        default=None, alias="from", description="First moment: ISO 8601, or s, ms, us since 1970."
    )
    to: Moment | None = Field(default=None, description="First moment after the range.")

    @field_validator("to")
    @classmethod
    def _not_before_from(cls, to: int | None, others: ValidationInfo) -> int | None:
        from_ = others.data.get("from_")
        if to is not None and from_ is not None and to < from_:
            message = f"{to_iso(to)} is before from, {to_iso(from_)}: exchange them"
            raise ValueError(message)
        return to

    def window(self, after: Key | None, limit: int) -> Window:
        """Return the question as the database is asked it."""
        newest_first = self.order is Order.NEWEST_FIRST
        return Window(from_ts=self.from_, to_ts=self.to, after=after, newest_first=newest_first, limit=limit)


class InstrumentsQuestion(ListQuestion):
    """Which instruments."""

    exchange: ExchangeName | None = Field(default=None, description="All exchanges when left out.")
    symbol: SymbolPattern | None = None


class TicksQuestion(HistoryQuestion):
    """Whose trades, quotes, or depths."""

    exchange: ExchangeName
    symbol: SymbolPattern | None = None


class BarsQuestion(HistoryQuestion):
    """Whose bars."""

    exchange: ExchangeName
    symbol: Annotated[str, Field(max_length=64, description="One symbol, or a pattern such as `SOL/*`.")]
    interval: Literal["1s", "1m", "5m", "1h", "1d"] = "1m"


class OutcomesQuestion(HistoryQuestion):
    """Whose outcomes, or operations."""

    exchange: ExchangeName | None = Field(default=None, description="All exchanges when left out.")
    symbol: SymbolPattern | None = None


class IndicatorsQuestion(OutcomesQuestion):
    """Whose indicators."""

    kind: list[KindName] = Field(default=[], description="All kinds when left out; may be repeated.")


class SignalsQuestion(OutcomesQuestion):
    """Whose signals."""

    kind: list[KindName] = Field(default=[], description="All kinds when left out; may be repeated.")
    min_strength: float = Field(
        default=0.0, ge=0, le=1, description="At least so strong, whichever way they point."
    )
