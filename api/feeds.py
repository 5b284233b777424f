"""What the operator's routes take and give."""

from typing import Literal

from pydantic import Field

from api.questions import Question
from api.schemas import Row
from db.feeds import Change, FeedName, FeedRow
from market.times import to_iso

Symbols = list[str]


class NewSubscriptions(Question):
    """Feeds to listen to; what is null is the venue's own."""

    exchange: str
    symbols: Symbols = Field(min_length=1, description="Like SOL/USD, or BTC/USDT:USDT for swaps.")
    protocol: str | None = None
    stream_url: str | None = Field(default=None, description="Scheme, host, and port of another socket.")
    rest_url: str | None = Field(default=None, description="Scheme, host, and port of another REST.")


class SubscriptionState(Question):
    """Feeds to pause, or to resume."""

    exchange: str
    symbols: Symbols = Field(min_length=1)
    state: Literal["active", "paused"]

    @property
    def names(self) -> list[FeedName]:
        """Return which feeds."""
        return _names(self.exchange, self.symbols)


class SubscriptionsNamed(Question):
    """Feeds to remove."""

    exchange: str
    symbol: Symbols = Field(min_length=1, description="May be repeated.")

    @property
    def names(self) -> list[FeedName]:
        """Return which feeds."""
        return _names(self.exchange, self.symbol)


class Subscription(Row):
    """A feed; `process` listens to it, `socket` says how that does, both are null where nobody does."""

    exchange: str
    symbol: str
    protocol: str | None
    stream_url: str | None
    rest_url: str | None
    state: Literal["active", "paused", "closed"]
    reason: str
    added_at: str
    changed_at: str
    process: str | None
    socket: str | None
    last_frame_at: str | None

    @classmethod
    def of(cls, row: FeedRow) -> "Subscription":
        """Return the row of a feed."""
        seen = row.last_frame_at
        times = {"added_at": to_iso(row.added_at), "changed_at": to_iso(row.changed_at)}
        fields = {name: getattr(row, name) for name in cls.model_fields}
        return cls(**{**fields, **times, "last_frame_at": None if seen is None else to_iso(seen)})


class Subscriptions(Row):
    """Every feed."""

    data: list[Subscription]


class SubscriptionChange(Row):
    """What became of a feed."""

    change: Literal["added", "changed", "unchanged", "removed", "paused", "resumed"]
    feed: Subscription

    @classmethod
    def of(cls, change: Change) -> "SubscriptionChange":
        """Return the row of a change."""
        return cls.model_validate({"change": change.change, "feed": Subscription.of(change.feed)})


class SubscriptionChanges(Row):
    """What became of feeds, in the order in which they were named."""

    data: list[SubscriptionChange]


def _names(exchange: str, symbols: Symbols) -> list[FeedName]:
    return [FeedName(exchange, symbol) for symbol in dict.fromkeys(symbols)]
