"""The machine that the figures are of."""

import os
import platform
from pathlib import Path

import asyncpg
import msgspec

from heliograph.embedded.tuning import memory_bytes

_GIB = 1 << 30
_MODEL = "model name"


class Machine(msgspec.Struct, frozen=True):
    """What figures depend on beside the code. ``settings`` are PostgreSQL's that make commits durable."""

    cores: int
    processor: str
    memory_gib: float
    load: float
    system: str
    python: str
    postgresql: str
    settings: dict[str, str]

    def __str__(self) -> str:
        durable = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        return (
            f"{self.cores} cores ({self.processor}), {self.memory_gib:.0f} GiB, load {self.load:.1f}; "
            f"{self.system}; Python {self.python}; PostgreSQL {self.postgresql} ({durable})"
        )


async def describe(url: str) -> Machine:
    """Describe this machine and the PostgreSQL at ``url``."""
    connection = await asyncpg.connect(url)
    try:
        version = await connection.fetchval("SHOW server_version")
        durable = {
            "fsync": await connection.fetchval("SHOW fsync"),
            "synchronous_commit": await connection.fetchval("SHOW synchronous_commit"),
        }
    finally:
        await connection.close()
    return Machine(
        cores=os.cpu_count() or 1,
        processor=_processor(),
        memory_gib=memory_bytes() / _GIB,
        load=os.getloadavg()[0],
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        postgresql=version,
        settings=durable,
    )


def _processor() -> str:
    """Return the model's name where the system tells it, otherwise the architecture."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text().splitlines() if listing.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith(_MODEL)]
    return models[0] if models else platform.machine()
