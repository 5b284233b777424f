"""A program of ours as a child process, and a simulated venue as one."""

import json
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from heliograph import feeds

ROOT = Path(__file__).parents[2]
GONE_SECONDS = 20.0


class Process:
    """A program of ours, and what it says in its log."""

    def __init__(self, name: str, command: tuple[str, ...], environment: dict[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        lifeline = int(environment["HELIOGRAPH_PARENT_FD"])
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(lifeline,),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        return self._process.poll()

    def said(self, field: str) -> dict[str, Any] | None:
        """Return the first JSON line of the log that has this field."""
        for line in self.log.read_text().splitlines():
            if line.startswith("{") and line.endswith("}") and f'"{field}"' in line:
                return dict(json.loads(line))
        return None

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        """Wait for the end and return the exit status, that of a kill if it takes too long."""
        try:
            return self._process.wait(GONE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL


@dataclass(frozen=True)
class Venue:
    """A simulated venue that listens."""

    process: Process
    stream_url: str
    rest_url: str
    http: httpx.AsyncClient

    async def status(self) -> dict[str, Any]:
        answer = await self.http.get(f"{self.rest_url}/sim/status")
        return dict(answer.json())

    async def feed(self) -> dict[str, str]:
        """Return the environment of an ingester of everything on the tape."""
        feed = feeds.simulated(await self.status(), self.stream_url, self.rest_url)
        return feeds.environment([feed])

    async def finished(self) -> bool:
        return bool((await self.status())["finished"])
