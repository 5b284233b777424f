"""Every service of the compose file, run with the file's own words against embedded stores.

No container engine is needed: the command, the environment, and the health check are the file's. Only
the addresses are others, and what the image calls ``heliograph`` is this tree's.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from heliograph.ports import any_free
from tests.house.compose import LONG_RUNNING, services

pytestmark = pytest.mark.slow

SERVICES = services()
HEALTH_CHECKS = 40
"""Each takes a good part of a second: more time than the file gives."""

Environment = dict[str, str]


def argv(words: list[str]) -> list[str]:
    """Return the words of the image as a command here."""
    program = {"heliograph": ["-m", "heliograph"], "python": []}[words[0]]
    return [sys.executable, *program, *words[1:]]


def environment_of(service: str, here: Mapping[str, str]) -> Environment:
    """Return the file's environment with addresses of ``here``; nothing is set that the file does not set."""
    named: dict[str, str] = SERVICES[service]["environment"]
    passed = {name: value for name, value in os.environ.items() if not name.startswith("HELIOGRAPH_")}
    return {**passed, **{name: here.get(name, value) for name, value in named.items()}}


def health_check(service: str, port: str) -> list[str]:
    """Return the file's health check, at the port that the API has here."""
    words = SERVICES[service]["healthcheck"]["test"]
    assert "CMD" == words[0]
    return argv([word.replace(":8000/", f":{port}/") for word in words[1:]])


def command_of(service: str) -> list[str]:
    return argv(["heliograph", *SERVICES[service]["command"]])


@contextmanager
def started(command: list[str], environment: Environment, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process for as long as the block, and demand that SIGTERM ends it in order."""
    with log.open("wb") as output, subprocess.Popen(command, env=environment, stderr=output) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            assert 0 == process.wait(30), log.read_text()


@pytest.fixture
def venue() -> Iterator[str]:
    """What an ingester is told of a simulated venue that plays without end."""
    command = [sys.executable, "-m", "sim", "--venue", "binance", "--generate"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        feed = {"venue": "binance", "symbols": ["BTC/USDT"]}
        yield json.dumps([{**feed, "stream_url": told["stream_url"], "rest_url": told["rest_url"]}])
        process.terminate()


@pytest.fixture
def here(postgres_url: str, redis_url: str, venue: str) -> Environment:
    return {
        "HELIOGRAPH_DATABASE_URL": postgres_url,
        "HELIOGRAPH_REDIS_URL": redis_url,
        "HELIOGRAPH_INGEST_FEEDS": venue,
        "HELIOGRAPH_API_HOST": "127.0.0.1",
        "HELIOGRAPH_API_PORT": str(any_free("127.0.0.1")),
    }


def test_migrate_does_its_work_and_ends(here: Environment) -> None:
    ended = subprocess.run(
        command_of("migrate"),
        env=environment_of("migrate", here),
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == ended.returncode, ended.stderr


def test_every_service_becomes_healthy_by_its_own_check(here: Environment, tmp_path: Path) -> None:
    with ExitStack() as running:
        for service in LONG_RUNNING:
            environment = environment_of(service, here)
            running.enter_context(started(command_of(service), environment, tmp_path / f"{service}.log"))
        sick = {service: answer for service in LONG_RUNNING if (answer := last_answer(service, here))}
        assert {} == sick


def test_a_service_that_does_not_run_is_not_healthy(here: Environment) -> None:
    healthy = [service for service in LONG_RUNNING if not checked(service, here)]
    assert [] == healthy


def last_answer(service: str, here: Environment) -> str:
    """Ask until the service is healthy; return nothing then, and otherwise what was last said."""
    answer = ""
    for _ in range(HEALTH_CHECKS):
        answer = checked(service, here)
        if not answer:
            break
    return answer


def checked(service: str, here: Environment) -> str:
    """Return nothing when healthy, and otherwise what the check said."""
    ended = subprocess.run(
        health_check(service, here["HELIOGRAPH_API_PORT"]),
        env=environment_of(service, here),
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if ended.returncode == 0 else f"{ended.stdout}{ended.stderr}" or "no"
