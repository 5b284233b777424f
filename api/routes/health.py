"""GET /health, /health/live, /health/ready, /metrics."""

from collections.abc import Sequence
from http import HTTPStatus

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.gauges import gauge_self, gauge_strain
from api.health import Health, Status, examine
from api.state import Here, State
from db import overview, strain, verifications
from db.overview import BudgetRow

router = APIRouter(tags=["operation"])

_FRESH_BEAT_SECONDS = 5.0
_NEEDED = ("api", "ingest", "ingest-history", "scheduler", "worker-backfill", "worker-live")
"""The roles that the house cannot do without."""

_OF_INGESTERS = {
    "buffer_share": "buffer_share",
    "buffer_peak_share": "buffer_peak_share",
    "paused_reads": "paused_reads",
    "paused_seconds": "paused_seconds",
    "book_waiting_bytes": "waiting_bytes",
    "memory_bytes": "resident_bytes",
    "memory_limit_bytes": "memory_limit_bytes",
}


@router.get("/health", response_model=Health)
async def health(here: Here) -> Response:
    """Tell how everything stands; 503 when nothing can be answered."""
    return _told(await examine(here))


_ALIVE = {"application/json": {"example": {"status": "ok"}}}


@router.get("/health/live", responses={200: {"content": _ALIVE}})
async def live() -> dict[str, str]:
    """Tell that this process answers, whatever else is amiss."""
    return {"status": "ok"}


@router.get("/health/ready", response_model=Health)
async def ready(here: Here) -> Response:
    """Tell whether questions can be answered: 200, or 503 when PostgreSQL does not answer."""
    return _told(await examine(here))


_EXPOSITION = {"text/plain": {"schema": {"type": "string"}, "example": "heliograph_subscribers 12.0\n"}}


@router.get("/metrics", response_class=Response, responses={200: {"content": _EXPOSITION}})
async def metrics(here: Here) -> Response:
    """Tell Prometheus."""
    found = await examine(here)
    _gauge(here, found)
    gauge_self(here, found)
    if found.database:
        await _count(here)
    return Response(generate_latest(here["metrics"].registry), media_type=CONTENT_TYPE_LATEST)


def _told(found: Health) -> Response:
    status = HTTPStatus.SERVICE_UNAVAILABLE if found.status is Status.DOWN else HTTPStatus.OK
    return Response(found.model_dump_json(), status, media_type="application/json")


def _gauge(here: State, found: Health) -> None:
    measured = here["metrics"]
    if found.replica is not None and found.replica.lag_seconds is not None:
        measured.gauge("heliograph_replica_lag_seconds").set(found.replica.lag_seconds)
    if found.queue is not None:
        measured.gauge("heliograph_batches_waiting").set(found.queue.batches)
        measured.gauge("heliograph_oldest_batch_seconds").set(found.queue.oldest_seconds)
    if found.repairs is not None:
        measured.gauge("heliograph_dirty_waiting").set(found.repairs.dirty)
        measured.gauge("heliograph_staged_waiting").set(found.repairs.staged)
        measured.gauge("heliograph_oldest_repair_seconds").set(found.repairs.oldest_seconds)
        measured.gauge("heliograph_quarantines").set(found.repairs.quarantines)
    if found.gaps is not None:
        for state, count in found.gaps:
            measured.gauge("heliograph_gaps").labels(state).set(count)
    ages = measured.gauge("heliograph_feed_age_seconds")
    ages.clear()
    for feed in sorted(found.feeds, key=lambda each: each.age_seconds or 0):
        if feed.age_seconds is not None:  # of those that share an address the most silent is the last
            ages.labels(feed.exchange, feed.url).set(feed.age_seconds)
    _gauge_ingesters(here, found)
    up = measured.gauge("heliograph_process_up")
    up.clear()
    for role in _NEEDED:
        up.labels(role).set(0)
    for process in sorted(found.processes, key=lambda each: -each.age_seconds):
        up.labels(process.role).set(process.age_seconds < _FRESH_BEAT_SECONDS)  # the freshest is the last


def _gauge_ingesters(here: State, found: Health) -> None:
    for name, field in _OF_INGESTERS.items():
        gauge = here["metrics"].gauge(f"heliograph_{name}")
        gauge.clear()
        for ingester in found.ingesters:
            value = getattr(ingester, field)
            if value is not None:
                gauge.labels(f"{ingester.host}:{ingester.pid}").set(value)
    books, resyncs = (
        here["metrics"].gauge("heliograph_books"),
        here["metrics"].gauge("heliograph_book_resyncs"),
    )
    books.clear()
    resyncs.clear()
    for book in found.books:
        books.labels(book.exchange, book.state).inc()
        resyncs.labels(book.exchange, book.symbol).set(book.resyncs)


async def _count(here: State) -> None:
    """Tell what ingesters and workers have counted, which are other processes: totals are put in whole."""
    async with here["database"].connection() as connection:
        tallies = await overview.tallies(connection)
        signals = await overview.signals(connection)
        published, publishing_seconds = await overview.published(connection)
        verified = await verifications.newest(connection)
        budgets = await overview.budgets(connection)
        strained = await strain.read(connection)
    gauge_strain(here["metrics"], strained)
    _gauge_budgets(here, budgets)
    ticks = here["metrics"].counter("heliograph_ticks_total")
    ticks.clear()
    for tally in tallies:
        ticks.labels(tally.exchange, tally.kind, "stored").inc(tally.stored)
        ticks.labels(tally.exchange, tally.kind, "duplicates").inc(tally.duplicates)
        ticks.labels(tally.exchange, tally.kind, "conflated").inc(tally.conflated)
        ticks.labels(tally.exchange, tally.kind, "rejected").inc(tally.rejected)
    if verified.age_seconds is not None:
        here["metrics"].gauge("heliograph_verification_differences").set(verified.differences)
        here["metrics"].gauge("heliograph_verification_age_seconds").set(verified.age_seconds)
    for name, total in (("published", published), ("publishing_seconds", publishing_seconds)):
        counter = here["metrics"].counter(f"heliograph_{name}_total")
        counter.reset()
        counter.inc(total)
    decided = here["metrics"].counter("heliograph_signals_total")
    decided.clear()
    for kind, count in signals.items():
        decided.labels(kind).inc(count)


def _gauge_budgets(here: State, budgets: Sequence[tuple[str, BudgetRow]]) -> None:
    used, limit, waits, waited = (
        here["metrics"].gauge(f"heliograph_budget_{name}")
        for name in ("used", "limit", "waits", "waited_seconds")
    )
    for gauge in (used, limit, waits, waited):
        gauge.clear()
    for process, budget in budgets:
        exchange = budget.name.partition(":")[0]
        limit.labels(exchange, budget.name).set(budget.limit)
        used.labels(exchange, budget.name, process).set(budget.used)
        waits.labels(exchange, budget.name, process).set(budget.waits)
        waited.labels(exchange, budget.name, process).set(budget.waited_seconds)
