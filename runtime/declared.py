"""All metrics, declared in one table. A row added here is a metric that exists, where its ``roles`` say."""

from enum import Enum
from typing import Final, NamedTuple

from prometheus_client import Counter, Gauge, Histogram

HOUSE: Final = ("api",)
"""Told by each process of the API: of itself, or of the whole house as PostgreSQL knows it."""

EVERY: Final = (
    "api",
    "ingest",
    "ingest-history",
    "scheduler",
    "worker-backfill",
    "worker-live",
    "worker-scoring",
)
"""Told by every process, of itself."""


class Kind(Enum):
    """How a metric behaves: only up, up and down, or spread over buckets."""

    COUNTER = Counter
    GAUGE = Gauge
    HISTOGRAM = Histogram


class Metric(NamedTuple):
    """A row of the table. Names say their unit, as Prometheus wants it; ``roles`` are who exports it."""

    name: str
    kind: Kind
    documentation: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = Histogram.DEFAULT_BUCKETS
    roles: tuple[str, ...] = HOUSE


INGEST: Final = ("ingest",)
LIVE: Final = ("worker-live",)

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZE_BUCKETS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000)

TABLE = (
    Metric(
        "heliograph_ticks_total",
        Kind.COUNTER,
        "Ticks by what became of them: stored, duplicates, conflated, rejected; in sum, what was offered.",
        ("exchange", "kind", "outcome"),
    ),
    Metric(
        "heliograph_feed_age_seconds",
        Kind.GAUGE,
        "Time since a feed's last frame, or since it was wanted.",
        ("exchange", "url"),
    ),
    Metric(
        "heliograph_books",
        Kind.GAUGE,
        "Order books by how they stand: invalid, snapshot, valid.",
        ("exchange", "state"),
    ),
    Metric(
        "heliograph_book_resyncs", Kind.GAUGE, "How often books were found wrong.", ("exchange", "symbol")
    ),
    Metric("heliograph_buffer_share", Kind.GAUGE, "How full an ingester's buffer is, of 1.", ("process",)),
    Metric("heliograph_buffer_peak_share", Kind.GAUGE, "How full it ever was.", ("process",)),
    Metric("heliograph_paused_reads", Kind.GAUGE, "Reads that waited for room in it.", ("process",)),
    Metric("heliograph_paused_seconds", Kind.GAUGE, "How long any socket was not read.", ("process",)),
    Metric(
        "heliograph_book_waiting_bytes", Kind.GAUGE, "Held by updates that wait for a snapshot.", ("process",)
    ),
    Metric("heliograph_memory_bytes", Kind.GAUGE, "Memory that an ingester holds.", ("process",)),
    Metric("heliograph_memory_limit_bytes", Kind.GAUGE, "What it may hold.", ("process",)),
    Metric("heliograph_replica_lag_seconds", Kind.GAUGE, "How far the replica of history is behind."),
    Metric(
        "heliograph_budget_used",
        Kind.GAUGE,
        "What a process has in use of a venue's limit, in the venue's measure.",
        ("exchange", "budget", "process"),
    ),
    Metric(
        "heliograph_budget_limit",
        Kind.GAUGE,
        "What may be in use of it by all processes together.",
        ("exchange", "budget"),
    ),
    Metric(
        "heliograph_budget_waits",
        Kind.GAUGE,
        "Requests and connections that had to wait for it, or to come back.",
        ("exchange", "budget", "process"),
    ),
    Metric(
        "heliograph_budget_waited_seconds",
        Kind.GAUGE,
        "How long they waited.",
        ("exchange", "budget", "process"),
    ),
    Metric("heliograph_batches_waiting", Kind.GAUGE, "Batches that no worker has folded yet."),
    Metric("heliograph_oldest_batch_seconds", Kind.GAUGE, "Age of the oldest batch that waits."),
    Metric("heliograph_dirty_waiting", Kind.GAUGE, "Stretches of tapes that wait to be computed again."),
    Metric("heliograph_staged_waiting", Kind.GAUGE, "What was computed aside and waits to be told."),
    Metric("heliograph_oldest_repair_seconds", Kind.GAUGE, "Age of the oldest of both."),
    Metric("heliograph_quarantines", Kind.GAUGE, "Kinds of signal that are stopped for an instrument."),
    Metric("heliograph_gaps", Kind.GAUGE, "Gaps that are not closed, by what became of them.", ("state",)),
    Metric(
        "heliograph_verification_differences",
        Kind.GAUGE,
        "Rows that the newest night of verification found not to be what the tape says.",
    ),
    Metric("heliograph_verification_age_seconds", Kind.GAUGE, "Time since a day was last verified."),
    Metric("heliograph_signals_total", Kind.COUNTER, "Signals computed or told by live workers.", ("kind",)),
    Metric("heliograph_published_total", Kind.COUNTER, "Publications that live workers handed to the bus."),
    Metric(
        "heliograph_publishing_seconds_total", Kind.COUNTER, "Time from their commits to the bus, in sum."
    ),
    Metric("heliograph_subscribers", Kind.GAUGE, "Open WebSocket connections."),
    Metric(
        "heliograph_sending_seconds",
        Kind.HISTOGRAM,
        "Time from an entry of the log being heard to its last frame being handed over.",
        (),
        LATENCY_BUCKETS,
    ),
    Metric("heliograph_publications_sent_total", Kind.COUNTER, "Frames sent to subscribers.", ("family",)),
    Metric("heliograph_cache_reads_total", Kind.COUNTER, "Reads through the cache.", ("outcome",)),
    Metric(
        "heliograph_requests_limited_total", Kind.COUNTER, "Refused: an address asked too much.", ("limit",)
    ),
    Metric(
        "heliograph_process_up",
        Kind.GAUGE,
        "1 while a role's heartbeat is fresh; 0 too for one that is needed and was never seen.",
        ("role",),
    ),
    Metric(
        "heliograph_request_seconds", Kind.HISTOGRAM, "Time to answer a request.", ("route",), LATENCY_BUCKETS
    ),
    Metric(
        "heliograph_dead_letters", Kind.GAUGE, "What could not be processed, of the last day.", ("source",)
    ),
    Metric(
        "heliograph_coverage_share",
        Kind.GAUGE,
        "Share of the last hour in which an active feed's trades were proven complete.",
        ("exchange", "symbol"),
    ),
    Metric(
        "heliograph_breaker_open",
        Kind.GAUGE,
        "1 while a venue's host is left alone for failing, by the process that does so.",
        ("host", "process"),
    ),
    Metric("heliograph_oldest_snapshot_seconds", Kind.GAUGE, "Age of the oldest snapshot in the database."),
    Metric(
        "heliograph_dead_rows",
        Kind.GAUGE,
        "Rows that vacuum has yet to clear away, the partitions of a table together.",
        ("table",),
    ),
    Metric("heliograph_database_bytes", Kind.GAUGE, "Size of the database."),
    Metric("heliograph_database_connections", Kind.GAUGE, "Connections to the database, by all."),
    Metric("heliograph_database_connections_limit", Kind.GAUGE, "How many there may be."),
    Metric("heliograph_chore_failed", Kind.GAUGE, "1 while a chore's last run failed.", ("chore",)),
    Metric("heliograph_chore_age_seconds", Kind.GAUGE, "Time since a chore was last begun.", ("chore",)),
    Metric(
        "heliograph_pool_connections",
        Kind.GAUGE,
        "Connections that this process of the API holds: lent, or idle.",
        ("pool", "state"),
    ),
    Metric("heliograph_mailbox_depth", Kind.GAUGE, "What waits for the subscriber for whom most waits."),
    Metric("heliograph_conflated_total", Kind.COUNTER, "Latest values that a newer one took the place of."),
    Metric("heliograph_refilled_total", Kind.COUNTER, "Entries of the log that the bus did not bring."),
    Metric("heliograph_redis_up", Kind.GAUGE, "1 while Redis answers."),
    Metric(
        "heliograph_commit_seconds",
        Kind.HISTOGRAM,
        "Time to commit what arrived.",
        (),
        LATENCY_BUCKETS,
        INGEST,
    ),
    Metric(
        "heliograph_commit_ticks", Kind.HISTOGRAM, "Ticks offered in one commit.", (), SIZE_BUCKETS, INGEST
    ),
    Metric("heliograph_claim_ticks", Kind.HISTOGRAM, "Ticks folded in one claim.", (), SIZE_BUCKETS, LIVE),
    Metric(
        "heliograph_claim_seconds",
        Kind.HISTOGRAM,
        "Time of a claim, by part: lock, fold (with its reading), and commit (with its writing).",
        ("part",),
        LATENCY_BUCKETS,
        LIVE,
    ),
    Metric(
        "heliograph_stage_seconds",
        Kind.HISTOGRAM,
        "Lag by stage: received (by the venue's clock), stored, claimed, and told (to the bus).",
        ("stage",),
        LATENCY_BUCKETS,
        (*INGEST, *LIVE),
    ),
    Metric(
        "heliograph_counted",
        Kind.GAUGE,
        "What a process has counted since it began, as its heartbeat tells it.",
        ("what",),
        roles=EVERY,
    ),
    Metric(
        "heliograph_build_info",
        Kind.GAUGE,
        "1, for a role and its version.",
        ("role", "version"),
        roles=EVERY,
    ),
    Metric("heliograph_resident_bytes", Kind.GAUGE, "Memory that this process holds.", roles=EVERY),
    Metric("heliograph_cpu_seconds", Kind.GAUGE, "Time that this process has computed.", roles=EVERY),
    Metric(
        "heliograph_heartbeat_age_seconds",
        Kind.GAUGE,
        "Time since PostgreSQL last heard of this process.",
        roles=EVERY,
    ),
)
