"""The one-machine stack as its user starts and ends it."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from db.connections import connected
from heliograph.embedded import folders
from heliograph.endings import INTERRUPTED
from heliograph.ports import any_free
from heliograph.whereabouts import database_url
from tests.heliograph.test_cli import ROOT, heliograph

pytestmark = pytest.mark.slow

STOP_SECONDS = 10
GONE_SECONDS = 20
ROWS_WITHIN_SECONDS = 60

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A private folder, as ``mktemp -d`` makes it."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    yield folder
    if (folder / "stores").is_symlink():
        folders.remove((folder / "stores").readlink())


@pytest.fixture
def start(data_dir: Path) -> Iterator[Start]:
    """Starts ``heliograph`` on the data folder; what still runs at the end is stopped."""
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "heliograph", *arguments, "--data-dir", str(data_dir)],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        with process:
            process.terminate()


def read_until(process: subprocess.Popen[str], *wanted: str) -> list[str]:
    """Return the lines up to the one by which every word in ``wanted`` has begun a line."""
    assert process.stdout is not None
    missing, lines = set(wanted), []
    for line in process.stdout:
        lines.append(line.rstrip())
        missing = {word for word in missing if not line.startswith(word)}
        if not missing:
            return lines
    raise AssertionError(lines)


def everything_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]


def ends_with(process: psutil.Process, *words: str) -> bool:
    """Whether its command does; of one that has gone meanwhile it does not."""
    with suppress(psutil.NoSuchProcess):
        return process.cmdline()[-len(words) :] == [*words]
    return False


TRADE = '{"e":"trade","E":1733270400000,"s":"BTCUSDT","t":1,"p":"1.0","q":"1","T":1733270400000,"m":true}'
TAPE = f'1733270400000000000 {{"stream":"btcusdt@trade","data":{TRADE}}}\n'

ROLES = tuple(
    f"{role} works"
    for role in ("api", "scheduler", "worker-live", "worker-backfill", "worker-scoring", "ingest-history")
)


def test_up_shows_its_page_first_and_ends_on_ctrl_c_without_a_trace(start: Start) -> None:
    port = any_free("127.0.0.1")
    up = start("up", "--port", str(port))
    lines = read_until(up, *ROLES)
    assert lines[0].startswith(f"http://127.0.0.1:{port}/ ")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready") as answer:
        assert answer.status == 200
    members = everything_of(up)
    assert len(members) > 8
    up.send_signal(signal.SIGINT)
    up.communicate(timeout=STOP_SECONDS)
    assert up.returncode == 0
    assert [] == [member for member in members if member.is_running()]


def test_programs_log_in_as_roles_that_may_do_no_more_than_they_do(start: Start, data_dir: Path) -> None:
    read_until(start("up", "--port", str(any_free("127.0.0.1"))), *ROLES)

    async def users() -> set[str]:
        async with connected(database_url(data_dir), "test") as connection:
            rows = await connection.fetch("SELECT usename FROM pg_stat_activity WHERE usename IS NOT NULL")
        return {row["usename"] for row in rows}

    assert {"heliograph_api", "heliograph_worker", "heliograph_backfill"} < asyncio.run(users())
    told = heliograph("db", "logins", "--data-dir", str(data_dir))
    assert (0, 4) == (told.returncode, len(told.stdout.splitlines())), told.stderr


def test_a_killed_up_leaves_no_process_behind(start: Start) -> None:
    up = start("up", "--port", str(any_free("127.0.0.1")))
    read_until(up, *ROLES)
    members = everything_of(up)
    up.kill()
    up.wait()
    assert [] == psutil.wait_procs(members, GONE_SECONDS)[1]


def test_a_folder_can_be_used_again_right_after_its_up_was_killed(start: Start) -> None:
    up = start("up", "--port", str(any_free("127.0.0.1")))
    read_until(up, "worker-live works")
    up.kill()
    up.wait()
    read_until(start("up", "--port", str(any_free("127.0.0.1"))), *ROLES)


def test_a_role_that_dies_is_started_again(start: Start) -> None:
    up = start("up", "--port", "0")
    read_until(up, "worker-live works")
    (worker,) = [each for each in everything_of(up) if ends_with(each, "worker", "live")]
    worker.kill()
    lines = read_until(up, "worker-live works")
    assert [line.split(" (")[0] for line in lines if line.startswith("worker-live")][:2] == [
        "worker-live died",
        "worker-live started again",
    ]


def test_a_second_up_on_a_folder_names_the_first(start: Start) -> None:
    first = start("up", "--port", str(any_free("127.0.0.1")))
    read_until(first, "http")
    second = start("up", "--port", str(any_free("127.0.0.1")))
    output, _ = second.communicate()
    assert second.returncode == 1
    assert f"in use by process {first.pid}" in output


def test_a_taken_port_names_who_has_it(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = start("up", "--port", str(port))
        output, _ = up.communicate()
    assert up.returncode == 1
    assert f"port {port} is taken by process {os.getpid()} (" in output


def test_live_and_invented_ticks_do_not_share_a_folder(start: Start, data_dir: Path) -> None:
    (data_dir / "purpose").write_text("live\n")
    demo = start("demo", "--seconds", "1")
    output, _ = demo.communicate()
    assert demo.returncode == 1
    assert "choose another --data-dir" in output


def test_a_demo_reports_and_says_what_to_try_next(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    demo = start("demo", "--seconds", "3", "--port", "0", "--report", str(file))
    lines = read_until(demo, "What to try next")
    demo.communicate()
    assert demo.returncode == 0
    assert lines[0].endswith("SIMULATED")
    report = json.loads(file.read_text())
    assert report["lost"] == 0
    assert report["ticks"]["offered"] > 0
    assert report["signals"]["computed"] == report["signals"]["delivered"]


def test_what_to_try_next_can_be_typed_as_it_stands(start: Start, data_dir: Path) -> None:
    demo = start("demo", "--seconds", "1", "--port", "0")
    lines = read_until(demo, "What to try next", "  curl")
    page = lines[0].split()[0]
    port = page.rstrip("/").rpartition(":")[2]
    (again,) = [line for line in lines if "demo --seconds 0" in line]
    assert f"  curl '{page}v1/signals?limit=5'" in lines
    assert again.endswith(f"heliograph demo --seconds 0 --port {port} --data-dir {data_dir}")
    assert shutil.which(again.split()[0]) is not None


def test_an_endless_demo_reports_when_it_is_stopped(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    demo = start("demo", "--seconds", "0", "--port", "0", "--report", str(file))
    read_until(demo, "ingest works")
    demo.send_signal(signal.SIGINT)
    output, _ = demo.communicate()
    assert demo.returncode == 0, output
    report = json.loads(file.read_text()) if file.exists() else {"lost": 0, "complete": True}
    assert (0, True) == (report["lost"], report["complete"])


def test_an_interrupted_tape_is_told_as_such(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    demo = start("demo", "--seconds", "600", "--port", "0", "--report", str(file))
    page = read_until(demo, "ingest works")[0].split()[0]
    wait_for(f"{page}v1/trades?exchange=binance&limit=1")
    demo.send_signal(signal.SIGINT)
    output, _ = demo.communicate()
    assert demo.returncode == INTERRUPTED, output
    report = json.loads(file.read_text())
    assert (0, False) == (report["lost"], report["complete"])


def wait_for(address: str) -> None:
    """Return when there are rows to be read at ``address``."""
    deadline = time.monotonic() + ROWS_WITHIN_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(address) as answer:  # noqa: S310 - our own
            if json.load(answer)["data"]:
                return
    raise AssertionError(address)


def test_a_replay_can_stay_up_to_be_looked_at(start: Start, data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "tape").write_text(TAPE)
    replay = start("replay", str(tmp_path / "tape"), "--venue", "binance", "--stay", "--port", "0")
    page = read_until(replay, "http://", "ingest works")[0].split()[0]
    lines = read_until(replay, f"{page} stays up")
    assert '  "complete": true' in "\n".join(lines)
    wait_for(f"{page}v1/trades?exchange=binance&limit=1")
    for command in (("db", "status"), ("health", "api")):
        asked = heliograph(*command, "--data-dir", str(data_dir))
        assert 0 == asked.returncode, asked.stderr
    refused = heliograph("tail", "signals:nowhere:SOL/USD", "--data-dir", str(data_dir))
    assert (1, "") == (refused.returncode, refused.stdout)
    assert refused.stderr.startswith("heliograph: no instrument 'SOL/USD' on 'nowhere'")
    replay.send_signal(signal.SIGINT)
    output, _ = replay.communicate()
    assert replay.returncode == 0, output


def test_a_tail_ends_quietly_on_ctrl_c(start: Start, data_dir: Path) -> None:
    read_until(start("up", "--port", "0"), "api works")
    options = ("signals:*:*", "--json", "--data-dir", str(data_dir))
    command = [sys.executable, "-m", "heliograph", "tail", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tail:
        assert tail.stdout is not None
        first = tail.stdout.readline()
        tail.send_signal(signal.SIGINT)
        _, errors = tail.communicate()
    assert b'"subscribed"' in first
    assert (0, b"") == (tail.returncode, errors)


def test_a_replay_twice_stores_each_trade_once(start: Start, tmp_path: Path, recordings: Path) -> None:
    tape = recordings / "hftbacktest" / "spot_btcusdt_20240808.gz"
    reports = []
    for name in ("first", "second"):
        file = tmp_path / f"{name}.json"
        options = ("--venue", "binance", "--speed", "max", "--report", str(file))
        replay = start("replay", str(tape), *options)
        output, _ = replay.communicate()
        assert replay.returncode == 0, output
        reports.append(json.loads(file.read_text()))
    first, second = reports
    assert first["ticks"]["by_kind"]["trades"] == counts(stored=9757)
    assert second["ticks"]["by_kind"]["trades"] == counts(duplicates=9757)
    assert (first["lost"], second["lost"], second["ticks"]["stored"]) == (0, 0, 0)
    assert first["ticks"]["reasons"] == {"book_invalid": 22}, "where a side was beyond the snapshot"
    assert first["signals"]["delivered"] == first["signals"]["computed"] > 0
    assert second["signals"] == {"computed": 0, "delivered": 0}


def counts(*, stored: int = 0, duplicates: int = 0) -> dict[str, int]:
    rest = {"conflated": 0, "rejected": 0}
    return {"offered": stored + duplicates, "stored": stored, "duplicates": duplicates, **rest}
