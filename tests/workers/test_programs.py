"""The programs end in order whatever is down."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from workers.__main__ import run_live, run_scheduler, run_scoring


@pytest.mark.parametrize("run", [run_live, run_scheduler, run_scoring])
async def test_a_program_that_is_stopped_while_postgresql_is_down_ends_without_an_error(
    run: Callable[[asyncio.Event], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIOGRAPH_DATABASE_URL", "postgresql://heliograph@127.0.0.1:1/heliograph")
    monkeypatch.setenv("HELIOGRAPH_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setattr("os.nice", lambda _: 0)  # it would hold for every test after this one
    stopping = asyncio.Event()
    async with asyncio.timeout(30):
        running = asyncio.ensure_future(run(stopping))
        await asyncio.sleep(0)
        stopping.set()
        await running
