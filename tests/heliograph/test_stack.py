"""The one-machine stack as its user starts and ends it."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from heliograph.embedded import folders
from heliograph.ports import any_free

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 10
GONE_SECONDS = 20

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


ROLES = tuple(
    f"{role} works" for role in ("api", "scheduler", "worker-live", "worker-backfill", "ingest-history")
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
    up = start("up", "--port", str(any_free("127.0.0.1")))
    lines = read_until(up, "worker-live works")
    started = next(line for line in lines if line.startswith("worker-live started"))
    os.kill(int(started.split()[-1].rstrip(")")), signal.SIGKILL)
    lines = read_until(up, "worker-live works")
    assert [line.split(" (")[0] for line in lines if line.startswith("worker-live")][:2] == [
        "worker-live died",
        "worker-live started",
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
    demo = start("demo", "--seconds", "3", "--report", str(file))
    lines = read_until(demo, "What to try next")
    demo.communicate()
    assert demo.returncode == 0
    assert lines[0].endswith("SIMULATED")
    report = json.loads(file.read_text())
    assert report["lost"] == 0
    assert report["ticks"]["offered"] > 0
    assert report["signals"]["computed"] == report["signals"]["delivered"]


def test_an_endless_demo_reports_when_it_is_stopped(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    demo = start("demo", "--seconds", "0", "--report", str(file))
    read_until(demo, "ingest works")
    demo.send_signal(signal.SIGINT)
    output, _ = demo.communicate()
    assert demo.returncode == 0, output
    assert not file.exists() or json.loads(file.read_text())["lost"] == 0


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
    assert first["ticks"]["reasons"] == {"book_invalid": 25}, "where the top was beyond the snapshot"
    assert first["signals"]["delivered"] == first["signals"]["computed"] > 0
    assert second["signals"] == {"computed": 0, "delivered": 0}


def counts(*, stored: int = 0, duplicates: int = 0) -> dict[str, int]:
    rest = {"conflated": 0, "rejected": 0}
    return {"offered": stored + duplicates, "stored": stored, "duplicates": duplicates, **rest}
