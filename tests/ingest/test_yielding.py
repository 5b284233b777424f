"""History waits for live, and not for ever."""

from db.connections import connected
from ingest.yielding import yield_to_live

OLD = "INSERT INTO batches VALUES (0, 0, 1, 1, '', clock_timestamp() - interval '1 minute')"


async def test_a_page_waits_while_ticks_wait_longer_than_the_budget_but_not_for_ever(
    postgres_url: str,
) -> None:
    async with connected(postgres_url, "test") as connection:
        await connection.execute(OLD)
        assert await yield_to_live(connection, above_seconds=59.0, at_most_seconds=0.1) >= 0.1


async def test_a_page_does_not_wait_while_live_keeps_up(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        assert await yield_to_live(connection, above_seconds=0.05) == 0.0
        await connection.execute(OLD)
        assert await yield_to_live(connection, above_seconds=3600.0) == 0.0
