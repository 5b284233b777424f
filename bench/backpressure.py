"""PostgreSQL gone for a while under a high rate: memory, paused reads, and what was stored at the end."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import msgspec

from bench.effort import Effort
from bench.reports import LOST, Report, report
from bench.rounds import Contestant, Figures, alternate
from db.migrating import migrate
from db.settings import DatabaseSettings
from heliograph.embedded import folders
from heliograph.embedded.accounts import unprivileged
from heliograph.embedded.postgres import Postgres
from heliograph.embedded.valkey import Valkey
from tests.acceptance.house import House
from tests.acceptance.outages import suffer

_RATE = 10_000
_BUFFER_BYTES = 64 * 2**20


async def measure(url: str, effort: Effort) -> Report:  # noqa: ARG001 - it stops a server of its own
    """Stop a PostgreSQL for ``effort.seconds`` under 10,000 ticks/s, once."""
    name = f"PostgreSQL stopped for {effort.seconds:g} s"
    contestants: dict[str, Contestant] = {name: partial(_outage, effort.seconds)}
    measured = await alternate(contestants, msgspec.structs.replace(effort, seconds=0.0, least_rounds=1))
    return report("backpressure", f"{_RATE:,} made-up ticks/s, a buffer of 64 MiB", measured, {})


async def _outage(stopped_seconds: float) -> Figures:
    homes = [folders.throwaway_home(unprivileged()) for _ in range(2)]
    postgres, valkey = Postgres(homes[0], unprivileged()), Valkey(homes[1], unprivileged())
    try:
        postgres.start()
        valkey.start()
        await migrate(postgres.url, DatabaseSettings().shards)
        return await _suffered(postgres, valkey, stopped_seconds)
    finally:
        valkey.stop()
        postgres.stop()
        for home in homes:
            folders.remove(home)


async def _suffered(postgres: Postgres, valkey: Valkey, stopped_seconds: float) -> Figures:
    with TemporaryDirectory(prefix="heliograph-bench-") as folder:
        async with httpx.AsyncClient() as http:
            with House(postgres, valkey, Path(folder), http) as house:
                outage = await suffer(
                    house, rate=_RATE, stopped_seconds=stopped_seconds, buffer_bytes=_BUFFER_BYTES
                )
    return {
        "MB before": outage.before_mb,
        "MB at most": outage.peak_mb,
        "MB after": outage.after_mb,
        "buffer used": outage.peak_share,
        "paused s": outage.paused_seconds,
        "trades": outage.executed,
        "gaps healed": outage.gaps,
        LOST: outage.executed - outage.stored,
    }
