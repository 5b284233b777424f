"""Slow statements are logged with their plan, once each, and without being run again."""

import asyncio

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from db.connections import pooled
from db.errors import translated
from db.slow import watching
from market.errors import StoreBusyError

WITHIN_SECONDS = 20.0


async def logged(events: list[EventDict]) -> EventDict:
    async with asyncio.timeout(WITHIN_SECONDS):
        while not events:  # noqa: ASYNC110 - a log sets no event
            await asyncio.sleep(0.01)
    return events[0]


async def test_a_slow_statement_is_logged_with_its_plan(postgres_url: str) -> None:
    asked = "SELECT * FROM trades WHERE exchange_id = $1 AND ts < $2"
    with capture_logs() as events:
        async with (
            watching(postgres_url, "test", 0.0) as slow,
            pooled(postgres_url, "test", 1, watch=slow.watch) as pool,
        ):
            await pool.fetch(asked, 31_999, 1_733_270_400_000_000)
            event = await logged(events)
    assert ("query.slow", asked, "answered") == (event["event"], event["statement"], event["ended"])
    assert "cost=" in event["plan"]


async def test_a_quick_statement_is_not_logged(postgres_url: str) -> None:
    with capture_logs() as events:
        async with (
            watching(postgres_url, "test", 60.0) as slow,
            pooled(postgres_url, "test", 1, watch=slow.watch) as pool,
        ):
            await pool.fetchval("SELECT 1")
            await asyncio.sleep(0)
    assert [] == events


async def test_a_statement_that_is_cut_off_is_busy_and_logged_too(postgres_url: str) -> None:
    with capture_logs() as events:
        async with (
            watching(postgres_url, "test", 60.0) as slow,
            pooled(postgres_url, "test", 1, {"statement_timeout": "20"}, watch=slow.watch) as pool,
        ):
            with pytest.raises(StoreBusyError), translated("sleeping"):
                await pool.fetchval("SELECT pg_sleep(60)")
            event = await logged(events)
    assert ("cut off", True) == (event["ended"], "Result" in event["plan"])


async def test_a_plan_that_cannot_be_had_is_said_so(postgres_url: str) -> None:
    with capture_logs() as events:
        async with (
            watching(postgres_url, "test", 0.0) as slow,
            pooled(postgres_url, "test", 1, watch=slow.watch) as pool,
        ):
            await pool.execute("SET lock_timeout = '7s'")
            event = await logged(events)
    assert event["plan"].startswith("not known: ")
