"""All metrics, declared in one table. A row added here is a metric that exists."""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_Made = TypeVar("_Made", Counter, Gauge, Histogram)


class Kind(Enum):
    """How a metric behaves: only up, up and down, or spread over buckets."""

    COUNTER = Counter
    GAUGE = Gauge
    HISTOGRAM = Histogram


class Metric(NamedTuple):
    """A row of the table. Names say their unit, as Prometheus wants it."""

    name: str
    kind: Kind
    documentation: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = Histogram.DEFAULT_BUCKETS


LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

TABLE = (
    Metric(
        "heliograph_ticks_total",
        Kind.COUNTER,
        "Ticks by what became of them: stored, duplicates, conflated, rejected; in sum, what was offered.",
        ("exchange", "kind", "outcome"),
    ),
    Metric("heliograph_feed_age_seconds", Kind.GAUGE, "Time since a feed's last frame.", ("exchange", "url")),
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
        "Rows of the newest day verified that are not what the tape says.",
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
    Metric("heliograph_process_up", Kind.GAUGE, "1 while a role's heartbeat is fresh.", ("role",)),
    Metric(
        "heliograph_request_seconds", Kind.HISTOGRAM, "Time to answer a request.", ("route",), LATENCY_BUCKETS
    ),
)


class Metrics:
    """The table's metrics, living in one registry; given to whoever counts."""

    def __init__(self, table: tuple[Metric, ...] = TABLE) -> None:
        """Make every metric of the table."""
        self.registry = CollectorRegistry()
        self._made: Mapping[str, Counter | Gauge | Histogram] = {row.name: self._make(row) for row in table}

    def counter(self, name: str) -> Counter:
        """Return the counter of that name; raises KeyError or TypeError for what the table does not say."""
        return _of(Counter, self._made[name])

    def gauge(self, name: str) -> Gauge:
        """Return the gauge of that name."""
        return _of(Gauge, self._made[name])

    def histogram(self, name: str) -> Histogram:
        """Return the histogram of that name."""
        return _of(Histogram, self._made[name])

    def _make(self, row: Metric) -> Counter | Gauge | Histogram:
        if row.kind is Kind.HISTOGRAM:
            return Histogram(
                row.name, row.documentation, row.labels, buckets=row.buckets, registry=self.registry
            )
        make = Counter if row.kind is Kind.COUNTER else Gauge
        return make(row.name, row.documentation, row.labels, registry=self.registry)


def _of(wanted: type[_Made], metric: object) -> _Made:
    if not isinstance(metric, wanted):
        message = f"this metric is no {wanted.__name__.lower()}"
        raise TypeError(message)
    return metric
