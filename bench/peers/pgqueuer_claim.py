"""Jobs of ticks through pgqueuer; runs in pgqueuer's environment.

Standard input: where the server is, as asyncpg takes it, and ``jobs``, the payloads.
"""

import asyncio
import json
import sys
import time
from typing import Any

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.domain.types import QueueExecutionMode
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from bench.peers.folded import RESULTS, Work

_AT_ONCE = 100
_RESULT = "INSERT INTO results (ticks, signals, bars) VALUES ($1, $2, $3)"


async def main(plan: dict[str, Any]) -> dict[str, float]:
    """Put every job into the queue, then time until the last is done."""
    jobs = [job.encode() for job in plan.pop("jobs")]
    connection = await asyncpg.connect(**plan)
    results = await asyncpg.create_pool(**plan, min_size=4, max_size=4)
    queries = Queries(AsyncpgDriver(connection))
    await queries.install()
    await connection.execute(RESULTS)
    for at in range(0, len(jobs), 1000):
        piece = jobs[at : at + 1000]
        await queries.enqueue(["fold"] * len(piece), piece, [0] * len(piece))
    queue, work = PgQueuer(AsyncpgDriver(connection)), Work()

    @queue.entrypoint("fold")  # type: ignore[untyped-decorator]
    async def fold(job: Job) -> None:
        await results.execute(_RESULT, *work.done(job.payload or b""))

    began = time.perf_counter()
    await queue.qm.run(mode=QueueExecutionMode.drain, batch_size=_AT_ONCE)
    seconds = time.perf_counter() - began
    ticks = await results.fetchval("SELECT sum(ticks) FROM results")
    return {"ticks/s": ticks / seconds, "claims/s": len(jobs) / seconds}


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(main(json.load(sys.stdin)))))
