"""How the API is served."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from runtime.settings import Settings


class ApiSettings(Settings):
    """Read once, at the start of a process."""

    model_config = SettingsConfigDict(env_prefix="HELIOGRAPH_API_", frozen=True, populate_by_name=True)

    host: str = Field(
        default="127.0.0.1", description="Address to listen on; there are no keys yet, so only this machine."
    )
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    simulated: bool = Field(
        default=False,
        validation_alias="HELIOGRAPH_SIMULATED",
        description="The ticks come from a simulated venue; shown wherever values are.",
    )
    recorded: bool = Field(
        default=False,
        validation_alias="HELIOGRAPH_RECORDED",
        description="That venue plays a recording, in place of a market that is made up.",
    )
    operator_token: SecretStr | None = Field(
        default=None,
        validation_alias="HELIOGRAPH_OPERATOR_TOKEN",
        description="What opens /v1/admin, sent as `Authorization: Bearer TOKEN`; unset, it is closed.",
    )
    database_connections: int = Field(default=8, ge=2, description="Connections to PostgreSQL, at most.")
    read_statements: int = Field(
        default=100,
        ge=0,
        description="Statements that a connection to HELIOGRAPH_DATABASE_READ_URL keeps prepared; 0 behind a "
        "pooler that forgets them.",
    )
    replica_rest_seconds: float = Field(
        default=5.0, gt=0, description="How long a replica that failed is left alone."
    )
    default_limit: int = Field(default=500, ge=1, description="Rows in a page when nothing is asked.")
    max_limit: int = Field(default=5000, ge=1, description="Rows in a page, at most.")
    max_intervals: int = Field(
        default=1000, ge=2, description="Intervals in an answer of /v1/coverage, at most."
    )
    cache_seconds: int = Field(default=30, ge=0, description="How long Redis keeps an answer; 0 keeps none.")
    moving_cache_seconds: int = Field(
        default=2, ge=0, description="The same for gaps, coverage, feeds, and jobs, which move; 0 keeps none."
    )
    settled_cache_seconds: int = Field(
        default=3600, ge=0, description="The same for what is settled, until a repair changes it."
    )
    cache_timeout_seconds: float = Field(
        default=0.1, gt=0, description="How long an answer may wait for Redis before PostgreSQL is asked."
    )
    cache_rest_seconds: float = Field(
        default=2.0, gt=0, description="How long a Redis that failed is left alone."
    )
    recent_publications: int = Field(
        default=20_000, ge=1, description="Newest publications kept in memory, over all streams."
    )
    page_publications: int = Field(
        default=256, ge=1, description="Publications of one stream that a subscriber is sent in one go."
    )
    compare_seconds: float = Field(
        default=1.0, gt=0, description="How often followed streams are compared with the log."
    )
    compare_without_bus_seconds: float = Field(
        default=0.1, gt=0, description="The same, while the bus is down."
    )
    heartbeat_seconds: float = Field(
        default=5.0, gt=0, description="How often a subscriber is told the time and what moved."
    )
    stalled_seconds: float = Field(
        default=60.0, gt=0, description="How long a subscriber may take nothing before it is let go."
    )
    statement_seconds: float = Field(
        default=10.0, gt=0, description="How long PostgreSQL may work on one statement of REST or the stream."
    )
    slow_query_seconds: float = Field(
        default=1.0, ge=0, description="A statement that took longer is logged with its plan; 0 logs all."
    )
    requests_per_second: float = Field(
        default=500.0, gt=0, description="Requests that one address may make, in the long run."
    )
    requests_at_once: int = Field(default=5000, ge=1, description="The same, at once after a rest.")
    connections_per_second: float = Field(
        default=100.0, gt=0, description="Streams that one address may open, in the long run."
    )
    connections_at_once: int = Field(default=2000, ge=1, description="The same, at once after a rest.")
    subscribers_per_address: int = Field(
        default=2000, ge=1, description="Streams that one address may have open, in one process of the API."
    )
    connections_per_address: int = Field(
        default=500, ge=1, description="The same of connections that ask REST; a proxy may have any number."
    )
    max_head_bytes: int = Field(
        default=1 << 15, ge=1024, description="Largest head of a request: its address and headers."
    )
    head_within_seconds: float = Field(
        default=10.0, gt=0, description="How long the head of a request may take to arrive."
    )
    max_body_bytes: int = Field(default=1 << 16, ge=1024, description="Largest body of a request.")
    body_within_seconds: float = Field(default=10.0, gt=0, description="How long that may take to arrive.")
    origins: tuple[str, ...] = Field(
        default=(),
        description="JSON: origins of pages, besides our own, that may open the stream.",
    )
    proxy_headers: bool = Field(
        default=False, description="Take who asks, and by which scheme, from a proxy's X-Forwarded headers."
    )
    proxies: tuple[str, ...] = Field(
        default=("127.0.0.1", "::1"),
        description="JSON: addresses and networks of the proxies that are believed in this.",
    )
    max_frame_bytes: int = Field(default=1 << 20, ge=1024, description="Largest frame a subscriber may send.")
    subscriptions_per_second: float = Field(
        default=500.0, gt=0, description="Channels that one subscriber may ask for; who asks for more waits."
    )
    subscriptions_at_once: int = Field(
        default=2000, ge=1, description="So many of them before it has to wait at all."
    )
