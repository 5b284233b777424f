"""The same ticks through other queues in PostgreSQL, for bench.claim: a job a tick, or a job a batch."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

from bench import stores
from bench.held import holding
from bench.peers import environments
from bench.peers.folded import encoded
from bench.rounds import Figures
from bench.tapes import cut
from market.trades import Trade

QUEUES: Final = ("pgqueuer", "procrastinate")


async def worked_off(
    url: str, queue: str, tape: Sequence[Trade], size: int, *, held: bool = False
) -> Figures:
    """Let a worker of ``queue`` do jobs of ``size`` ticks; ``held``: beside a snapshot that is held open."""
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(stores.copied(url))
        if held:
            await stack.enter_async_context(holding(own))
        jobs = [encoded(piece).decode() for piece in cut(tape, size)]
        plan = {**stores.parts(own), "jobs": jobs}
        return await environments.told(queue, f"{queue}_claim.py", plan)
