"""What is ingested, and at what pace."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_settings import SettingsConfigDict

from ingest.naming import instrument_named
from market.errors import HeliographError
from runtime.settings import Settings


class FeedSettings(BaseModel):
    """Symbols of one venue. Those of one market share a connection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    venue: str = Field(description="The exchange's name: binance, coinbase, kraken.")
    symbols: tuple[str, ...] = Field(min_length=1, description="BASE/QUOTE, or BASE/QUOTE:QUOTE for swaps.")
    stream_url: str | None = Field(
        default=None, description="Scheme, host, and port to use in place of the venue's own socket."
    )
    rest_url: str | None = Field(
        default=None, description="Scheme, host, and port to use in place of the venue's own REST."
    )
    protocol: Literal["v1", "v2"] | None = Field(
        default=None, description="The version of the venue's protocol, where it has several; the newest."
    )

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        try:
            for symbol in self.symbols:
                instrument_named(self.venue, symbol, self.protocol)
        except HeliographError as error:
            raise ValueError(str(error)) from error
        return self


class IngestSettings(Settings):
    """Read once, at the start of a process."""

    model_config = SettingsConfigDict(env_prefix="HELIOGRAPH_INGEST_", frozen=True)

    feeds: tuple[FeedSettings, ...] = Field(
        default=(), description='JSON: [{"venue": "kraken", "symbols": ["SOL/USD"]}].'
    )
    buffer_ticks: int = Field(
        default=50_000, ge=1, description="Ticks held for the writer; when it is full sockets are not read."
    )
    commit_after_seconds: float = Field(
        default=0.004, ge=0, description="The least time between two commits of the writer."
    )
    commit_ticks: int = Field(default=10_000, ge=1, description="Ticks that one commit takes at most.")
    retry_cap_seconds: float = Field(
        default=2.0, gt=0, description="The longest wait before PostgreSQL is tried again."
    )
    reconnect_cap_seconds: float = Field(
        default=30.0, gt=0, description="The longest wait before a venue is tried again."
    )
    acknowledge_within_seconds: float = Field(
        default=15.0, gt=0, description="A connection whose subscriptions are not answered by then is closed."
    )
    drain_within_seconds: float = Field(
        default=8.0, gt=0, description="At the end: time to commit what was read, PostgreSQL willing."
    )
