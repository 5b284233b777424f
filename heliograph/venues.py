"""A simulated venue as a child process, and what it tells of itself."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from heliograph.feeds import Feed, simulated
from heliograph.stack import Stack
from market.errors import StackError

PROGRAM = "sim"
_LINE_BYTES = 4096
_ANSWER_SECONDS = 5
_FAREWELL_SECONDS = 5.0


class Venue:
    """A simulated venue that listens."""

    def __init__(self, ready: dict[str, Any]) -> None:
        """Take what the venue said when it was ready."""
        self.stream_url: str = ready["stream_url"]
        self.rest_url: str = ready["rest_url"]

    async def status(self) -> dict[str, Any]:
        """Return what the venue has sent so far."""
        return dict(await asyncio.to_thread(_fetch, f"{self.rest_url}/sim/status"))

    async def faults(self) -> list[dict[str, Any]]:
        """Return what goes wrong at the venue, and how far each fault is."""
        return list(await asyncio.to_thread(_fetch, f"{self.rest_url}/sim/faults"))

    async def feed(self) -> Feed:
        """Return what an ingester is to be told."""
        return simulated(await self.status(), self.stream_url, self.rest_url)

    async def stop(self) -> None:
        """End the tape before its end. What was sent until then is what was offered. Idempotent."""
        request = Request(f"{self.rest_url}/sim/end", method="POST")  # noqa: S310  # our own child
        await asyncio.to_thread(_fetch, request)


def _fetch(address: str | Request) -> Any:  # noqa: ANN401 - parsed JSON
    with urlopen(address, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310  # our own child
        return json.load(answer)


def recorded(venue: str, files: Sequence[Path], speed: str) -> list[str]:
    """Return the arguments that play recordings."""
    named = [word for file in files for word in ("--file", str(file.absolute()))]
    return ["--venue", venue, "--speed", speed, *named]


@asynccontextmanager
async def venue_open(stack: Stack, arguments: Sequence[str], program: str = PROGRAM) -> AsyncIterator[Venue]:
    """Start a simulated venue and give it once it listens."""
    reader, writer = os.pipe()
    try:
        command = [sys.executable, "-m", "sim", *arguments, "--ready-fd", str(writer)]
        await stack.start_venue(program, command, writer)
    except BaseException:
        os.close(reader)
        raise
    finally:
        os.close(writer)
    try:
        ready = await _ready(reader)
    finally:
        os.close(reader)
    yield Venue(ready)


async def _ready(reader: int) -> dict[str, Any]:
    line = await asyncio.to_thread(os.read, reader, _LINE_BYTES)
    if not line:
        await asyncio.sleep(_FAREWELL_SECONDS)  # its supervisor knows why, and ends us
        message = "the simulated venue ended before it listened; see logs/sim.log in the data folder"
        raise StackError(message)
    return dict(json.loads(line))
