"""What is ingested, and at what pace."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from ingest.naming import instrument_named
from market.addresses import demand_addresses
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
            demand_addresses(self.stream_url, self.rest_url)
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
    buffer_bytes: int = Field(
        default=64 * 2**20, ge=1, description="Memory that those may hold; frames kept as dead letters too."
    )
    memory_limit_bytes: int = Field(
        default=0, ge=0, description="Memory that the process may hold, told against; 0: its control group's."
    )
    depth_slot_seconds: float = Field(
        default=0.1,
        ge=0,
        le=30,
        description="Of a book one depth is stored in so much of the venue's time; 0: all.",
    )
    depth_price_bps: float = Field(
        default=5.0, gt=0, description="A best price that moved so many basis points is stored at once."
    )
    depth_ratio: float = Field(
        default=1.5, gt=1, description="So is a ratio of bids to asks that changed by this factor."
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
        default=15.0,
        gt=0,
        description="What has no answer by then is asked again; a connection without any is closed.",
    )
    recent_seconds: float = Field(
        default=900.0, ge=0, description="How much of its recent past a new feed begins with; 0: none."
    )
    drain_within_seconds: float = Field(
        default=8.0, gt=0, description="At the end: time to commit what was read, PostgreSQL willing."
    )


class OutboundSettings(Settings):
    """How venues are asked. Read once, at the start of a process."""

    model_config = SettingsConfigDict(env_prefix="HELIOGRAPH_OUTBOUND_", frozen=True)

    processes: int = Field(
        default=2,
        ge=1,
        description="Processes that share a venue's limits while neither Redis nor PostgreSQL can say.",
    )
    answer_within_seconds: float = Field(
        default=10.0, gt=0, description="How long a venue's REST may take to answer."
    )


class HistorySettings(Settings):
    """How history is fetched. Read once, at the start of a process."""

    model_config = SettingsConfigDict(env_prefix="HELIOGRAPH_HISTORY_", frozen=True)

    binance_api_key: SecretStr = Field(
        default=SecretStr(""), description="Asked for by the history of Binance's futures; no rights needed."
    )
    chunks_at_once: int = Field(default=4, ge=1, description="Pieces of history fetched at a time.")
    poll_after_seconds: float = Field(
        default=0.5, gt=0, description="How often to look for gaps that are to be healed."
    )
    lease_seconds: float = Field(
        default=60.0, gt=0, description="A piece whose holder is not heard of for so long is another's."
    )
    rounds: int = Field(
        default=3, ge=1, description="Answers that lack trades before those are given up as unrecoverable."
    )
    retry_cap_seconds: float = Field(
        default=120.0, gt=0, description="The longest wait before a venue that fails is asked again."
    )
    yield_above_seconds: float = Field(
        default=0.05, gt=0, description="History waits a little while ticks have waited for workers so long."
    )
