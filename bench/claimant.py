"""One worker process of the claim benchmark: ``python -m bench.claimant URL WORKERS``.

Says ``ready`` once it is connected, begins at the first line of standard input, claims until no batch
is left, and prints what it did as one line of JSON.
"""

import asyncio
import sys
import time

import msgspec
import uvloop

from db.claims import SESSION
from db.connections import connected
from runtime.clock import now
from workers.claiming import Claimer
from workers.folding import Folder
from workers.kinds.catalogue import KINDS

_LOOK_AGAIN_SECONDS = 0.001
_ANY_BATCH = "SELECT EXISTS (SELECT FROM batches)"


class Done(msgspec.Struct, frozen=True):
    """What one worker did: how many ticks, how long each claim took, how long all did, in seconds."""

    ticks: int
    claims: list[float]
    seconds: float


def new_claimer() -> Claimer:
    """Return a claimer as live workers have it."""
    return Claimer(Folder(KINDS), now, "bench")


async def claim_all(url: str, workers: int) -> Done:
    """Be one of ``workers`` until no batch is left."""
    claimer = new_claimer()
    ticks, claims = 0, []
    async with connected(url, "bench claimant", SESSION) as connection:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        first = began = time.perf_counter()
        while await connection.fetchval(_ANY_BATCH):
            began = time.perf_counter()
            claimed = await claimer.claim(connection, workers)
            if claimed is None:  # the other worker has every shard that is due
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)
                continue
            claims.append(time.perf_counter() - began)
            ticks += claimed.ticks
        return Done(ticks, claims, time.perf_counter() - first)


def main(url: str, workers: str) -> None:
    """Work, and print what was done."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        done = runner.run(claim_all(url, int(workers)))
    sys.stdout.write(f"{msgspec.json.encode(done).decode()}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
