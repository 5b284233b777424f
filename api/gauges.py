"""What /metrics tells beside the health of the house: what runs short, and how this process does."""

from api.health import Health
from api.state import State
from db.schedules import FAILED
from db.strain import Strain
from market.times import SECOND
from runtime import vitals
from runtime.clock import now
from runtime.metrics import Metrics


def gauge_strain(metrics: Metrics, strain: Strain) -> None:
    """Set what PostgreSQL knows."""
    server = strain.server
    metrics.gauge("heliograph_oldest_snapshot_seconds").set(server.oldest_snapshot_seconds)
    metrics.gauge("heliograph_database_bytes").set(server.bytes)
    metrics.gauge("heliograph_database_connections").set(server.connections)
    metrics.gauge("heliograph_database_connections_limit").set(server.connections_limit)
    for name, by_label in (("dead_rows", strain.dead_rows), ("dead_letters", strain.dead_letters)):
        gauge = metrics.gauge(f"heliograph_{name}")
        gauge.clear()
        for label, count in by_label.items():
            gauge.labels(label).set(count)
    breakers, covered = metrics.gauge("heliograph_breaker_open"), metrics.gauge("heliograph_coverage_share")
    breakers.clear()
    for process, host, is_open in strain.breakers:
        breakers.labels(host, process).set(is_open)
    covered.clear()
    for exchange, symbol, share in strain.covered:
        covered.labels(exchange, symbol).set(share)
    _gauge_chores(metrics, strain)


def gauge_self(here: State, found: Health) -> None:
    """Set what this process of the API knows of itself."""
    metrics = here["metrics"]
    vitals.measure(metrics, here["heartbeat"])
    metrics.gauge("heliograph_redis_up").set(found.redis)
    metrics.gauge("heliograph_mailbox_depth").set(here["hub"].deepest())
    pools = metrics.gauge("heliograph_pool_connections")
    for name, pool in (("database", here["database"]), ("history", here["history"])):
        lent, idle = pool.usage()
        pools.labels(name, "lent").set(lent)
        pools.labels(name, "idle").set(idle)


def _gauge_chores(metrics: Metrics, strain: Strain) -> None:
    failed, age = metrics.gauge("heliograph_chore_failed"), metrics.gauge("heliograph_chore_age_seconds")
    for name, last in strain.chores.items():
        failed.labels(name).set(last.state == FAILED)
        if last.began_at is not None:
            age.labels(name).set((now() - last.began_at) / SECOND)
