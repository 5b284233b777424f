"""A simulated venue as a child process, and what it tells of itself."""

import asyncio
import json
import os
import sys
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from heliograph.feeds import Feed, simulated
from heliograph.stack import Stack
from market.errors import StackError

PROGRAM = "sim"
_LINE_BYTES = 4096
_ANSWER_SECONDS = 5
_FAREWELL_SECONDS = 5.0


class Venue:
    """A simulated venue that listens."""

    def __init__(self, stack: Stack, program: str, ready: dict[str, Any], reader: int) -> None:
        """Take what the venue said when it was ready, on the pipe ``reader``, which is closed at its end."""
        self._program = program
        self.stream_url: str = ready["stream_url"]
        self.rest_url: str = ready["rest_url"]
        self._stack = stack
        self._reader = reader
        self._last: dict[str, Any] = {}
        self.cut = False
        """Whether the tape was stopped before its end."""

    async def status(self) -> dict[str, Any]:
        """Return what the venue has sent so far, or had when it ended."""
        if self._reader >= 0:
            self._last = dict(await asyncio.to_thread(_fetch, f"{self.rest_url}/sim/status"))
        return self._last

    async def faults(self) -> list[dict[str, Any]]:
        """Return what goes wrong at the venue, and how far each fault is; nothing any more when it ended."""
        if self._reader < 0:
            return []
        return list(await asyncio.to_thread(_fetch, f"{self.rest_url}/sim/faults"))

    async def feed(self) -> Feed:
        """Return what an ingester is to be told."""
        return simulated(await self.status(), self.stream_url, self.rest_url)

    async def stop(self) -> None:
        """End the tape before its end. What was sent until then is what was offered. Idempotent."""
        if self._reader < 0:
            return
        reader, self._reader = self._reader, -1
        await self._stack.stop_program(self._program)
        last_words = await asyncio.to_thread(os.read, reader, _LINE_BYTES)
        os.close(reader)
        if not last_words:
            message = "the simulated venue died before it said what it had sent; see logs/sim.log"
            raise StackError(message)
        self._last = json.loads(last_words)
        self.cut = not self._last["finished"]
        self._last["finished"] = True

    def close(self) -> None:
        """Let go of the pipe. Idempotent."""
        if self._reader >= 0:
            os.close(self._reader)
            self._reader = -1


def _fetch(address: str) -> Any:  # noqa: ANN401 - parsed JSON
    with urllib.request.urlopen(address, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310  # our own child
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
    venue = Venue(stack, program, await _ready(reader), reader)
    try:
        yield venue
    finally:
        venue.close()


async def _ready(reader: int) -> dict[str, Any]:
    line = await asyncio.to_thread(os.read, reader, _LINE_BYTES)
    if not line:
        os.close(reader)
        await asyncio.sleep(_FAREWELL_SECONDS)  # its supervisor knows why, and ends us
        message = "the simulated venue ended before it listened; see logs/sim.log in the data folder"
        raise StackError(message)
    return dict(json.loads(line))
