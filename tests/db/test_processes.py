from structlog.testing import capture_logs

from db.connections import connected
from db.processes import Heartbeat, processes

NOBODY = "postgresql://heliograph@127.0.0.1:1/heliograph"


def heartbeat(url: str) -> Heartbeat:
    return Heartbeat(url, "worker-live", lambda: {"claims": 3}, lambda: 7)


async def test_the_last_heartbeat_tells_the_final_counts_and_the_end(postgres_url: str) -> None:
    await heartbeat(postgres_url).close()
    async with connected(postgres_url, "test") as connection:
        (row,) = await processes(connection, "worker-live", 0)
    assert (7, {"claims": 3}) == (row.stopped_at, row.counters)


async def test_an_end_that_cannot_be_told_is_logged_and_raises_nothing() -> None:
    with capture_logs() as logs:
        await heartbeat(NOBODY).close()
    assert [("heartbeat.end_untold", "worker-live")] == [(log["event"], log["role"]) for log in logs]
