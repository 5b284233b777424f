"""Load from wrk and from pgbench, and what they say of it."""

import asyncio
import re
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Final

import numpy as np

from bench import stores
from bench.peers import environments
from bench.reports import LOST
from bench.rounds import Figures
from market.errors import HeliographError

CONNECTIONS: Final = 16
_MILLISECONDS: Final = {"us": 1e-3, "ms": 1.0, "s": 1e3}
_RATE: Final = re.compile(r"Requests/sec:\s+([\d.]+)")
_LATENCY: Final = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)$", re.MULTILINE)
_WRONG: Final = re.compile(
    r"Non-2xx or 3xx responses: (\d+)|Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)"
)


async def wrk(url: str, seconds: float, script: Path | None = None) -> Figures:
    """Ask for ``url``, or for what a Lua script makes of it, over CONNECTIONS connections."""
    whole = max(1, round(seconds))
    options = [
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{whole}s",
        "--latency",
        *(["-s", str(script)] if script else []),
    ]
    return of_wrk(await _said(_program("wrk"), *options, url))


def of_wrk(text: str) -> Figures:
    """Return the figures that wrk wrote; what was not answered well is lost."""
    rate = _RATE.search(text)
    if rate is None:
        message = f"wrk told no rate: {text}"
        raise HeliographError(message)
    latency = {mark: float(value) * _MILLISECONDS[unit] for mark, value, unit in _LATENCY.findall(text)}
    wrong = sum(int(count) for counts in _WRONG.findall(text) for count in counts if count)
    return {"requests/s": float(rate[1]), "p50 ms": latency["50"], "p99 ms": latency["99"], LOST: wrong}


async def pgbench(url: str, seconds: float, statement: str, folder: Path) -> Figures:
    """Run one prepared statement over as many connections."""
    script = folder / "statement.sql"
    script.write_text(statement)
    at = stores.parts(url)
    options = [
        f"--client={CONNECTIONS}",
        f"--time={max(1, round(seconds))}",
        "--protocol=prepared",
        "--no-vacuum",
    ]
    where = [f"--host={at['host']}", f"--port={at['port']}", f"--username={at['user']}", str(at["database"])]
    logged = ["--log", f"--log-prefix={folder / 'log'}", f"--file={script}"]
    await _said(_program("pgbench"), *options, *logged, *where)
    latencies = np.array(_logged(folder)) / 1000
    p50, p99 = np.percentile(latencies, [50, 99])
    return {"requests/s": len(latencies) / max(1, round(seconds)), "p50 ms": float(p50), "p99 ms": float(p99)}


def _logged(folder: Path) -> list[int]:
    """Return how many microseconds each statement took, and remove pgbench's logs of it."""
    logs = list(folder.glob("log.*"))
    lines = [line.split() for log in logs for line in log.read_text().splitlines()]
    for log in logs:
        log.unlink()
    return [int(line[2]) for line in lines]


def _program(name: str) -> str:
    found = environments.program(name)
    if found is None:
        message = f"{name} is missing, and could not be installed; on Debian: apt-get install {name}"
        raise HeliographError(message)
    return str(found)


async def _said(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
    out, _ = await process.communicate()
    if process.returncode:
        message = f"{command[0]} ended with status {process.returncode}: {out.decode()}"
        raise HeliographError(message)
    return out.decode()
