"""Jobs of ticks through procrastinate; runs in procrastinate's environment.

Standard input: where the server is, as psycopg takes it, and ``jobs``, the payloads.
"""

import asyncio
import json
import logging
import sys
import time
from typing import Any

import procrastinate
import uvloop
from psycopg_pool import AsyncConnectionPool

from bench.peers.folded import RESULTS, Work

_AT_ONCE = 20
_RESULT = "INSERT INTO results (ticks, signals, bars) VALUES (%s, %s, %s)"


async def main(plan: dict[str, Any]) -> dict[str, float]:
    """Put every job into the queue, then time until the last is done."""
    logging.disable(logging.WARNING)
    jobs = plan.pop("jobs")
    server = {("dbname" if name == "database" else name): value for name, value in plan.items()}
    connector = procrastinate.PsycopgConnector(kwargs=server, max_size=8)
    app, work = procrastinate.App(connector=connector), Work()
    pool = AsyncConnectionPool(kwargs={**server, "autocommit": True}, min_size=4, max_size=4, open=False)

    @app.task(name="fold")  # type: ignore[untyped-decorator]
    async def fold(ticks: str) -> None:
        async with pool.connection() as connection:
            await connection.execute(_RESULT, work.done(ticks))

    async with app.open_async(), pool:
        await app.schema_manager.apply_schema_async()
        async with pool.connection() as connection:
            await connection.execute(RESULTS)
        for at in range(0, len(jobs), 1000):
            await fold.batch_defer_async(*[{"ticks": job} for job in jobs[at : at + 1000]])
        began = time.perf_counter()
        await app.run_worker_async(
            wait=False, concurrency=_AT_ONCE, delete_jobs="always", install_signal_handlers=False
        )
        seconds = time.perf_counter() - began
        async with pool.connection() as connection:
            rows = await (await connection.execute("SELECT sum(ticks) FROM results")).fetchone()
    return {"ticks/s": (rows[0] if rows else 0) / seconds, "claims/s": len(jobs) / seconds}


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(main(json.load(sys.stdin)))))
