"""``heliograph doctor`` as its user types it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bus import budgets
from db.connections import connected
from db.sockets import SocketState, tell
from market.times import SECOND
from tests.heliograph.test_cli import heliograph

pytestmark = pytest.mark.slow


def findings(done: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str]]:
    return {each["check"]: (each["outcome"], each["what"]) for each in json.loads(done.stdout)}


def test_a_setup_that_is_well_is_told_so(postgres_url: str, redis_url: str) -> None:
    done = heliograph(
        "doctor", "--json", HELIOGRAPH_DATABASE_URL=postgres_url, HELIOGRAPH_REDIS_URL=redis_url
    )
    assert 0 == done.returncode, done.stderr
    found = findings(done)
    outcomes = {check: outcome for check, (outcome, _) in found.items()}
    well = dict.fromkeys(("redis", "database", "schema", "logins", "feeds"), "ok")
    assert {**well, "roles": "note"} == outcomes
    assert "not running: api, " in found["roles"][1]


def test_what_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    done = heliograph("doctor", "--json", "--data-dir", str(tmp_path))
    assert 1 == done.returncode
    found = findings(done)
    assert {"redis", "database"} == set(found)
    assert all("start `heliograph up`" in what for _, what in found.values())


@pytest.fixture
def venue() -> Iterator[tuple[str, str]]:
    command = [sys.executable, "-m", "sim", "--venue", "kraken", "--generate", "--symbols", "SOL/USD"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        yield told["stream_url"], told["rest_url"]
        process.terminate()


def test_a_venue_is_listened_to(postgres_url: str, redis_url: str, venue: tuple[str, str]) -> None:
    options = ("--seconds", "2", "--stream-url", venue[0], "--rest-url", venue[1])
    stores = {"HELIOGRAPH_DATABASE_URL": postgres_url, "HELIOGRAPH_REDIS_URL": redis_url}
    done = heliograph("doctor", "--venue", "kraken:SOL/USD", *options, **stores)
    assert 0 == done.returncode, done.stdout
    frames, clock = [line for line in done.stdout.splitlines() if " kraken " in line]
    assert "rejected nothing" in frames
    assert "trades" in frames
    assert "clock offset" in clock


def test_a_venue_that_cannot_be_reached_is_told_with_why(postgres_url: str, redis_url: str) -> None:
    stores = {"HELIOGRAPH_DATABASE_URL": postgres_url, "HELIOGRAPH_REDIS_URL": redis_url}
    done = heliograph(
        "doctor",
        "--venue",
        "kraken:SOL/USD",
        "--seconds",
        "1",
        "--stream-url",
        "wss://venue.invalid",
        **stores,
    )
    assert 1 == done.returncode
    assert "venue.invalid has no address here" in done.stdout


def test_where_nothing_runs_a_venue_is_asked_all_the_same(tmp_path: Path, venue: tuple[str, str]) -> None:
    options = ("--seconds", "1", "--stream-url", venue[0], "--rest-url", venue[1], "--json")
    done = heliograph("doctor", "--venue", "kraken:SOL/USD", *options, "--data-dir", str(tmp_path))
    assert "ok" == findings(done)["kraken"][0], done.stdout


async def test_a_venue_that_is_to_be_left_alone_is_a_note(postgres_url: str, redis_url: str) -> None:
    async with budgets.opened(redis_url) as shared:
        await shared.rest("kraken:spot:connections@127.0.0.1:9", 3600 * SECOND)
    stores = {"HELIOGRAPH_DATABASE_URL": postgres_url, "HELIOGRAPH_REDIS_URL": redis_url}
    options = ("--venue", "kraken:SOL/USD", "--stream-url", "ws://127.0.0.1:9", "--json")
    done = await asyncio.to_thread(heliograph, "doctor", *options, **stores)
    outcome, what = findings(done)["kraken"]
    assert (0, "note") == (done.returncode, outcome)
    assert "ask again in" in what


async def test_a_connection_that_is_not_live_is_told_with_why(postgres_url: str, redis_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        state = SocketState(
            exchange="kraken",
            url="wss://a",
            state="waiting",
            symbols=(),
            last_frame_at=None,
            detail="cut off",
        )
        await tell(connection, "one", [state])
    stores = {"HELIOGRAPH_DATABASE_URL": postgres_url, "HELIOGRAPH_REDIS_URL": redis_url}
    done = await asyncio.to_thread(heliograph, "doctor", "--json", **stores)
    assert ("wrong", "kraken is waiting: cut off") == findings(done)["feeds"]
