"""Workers of the schema before this one go on when the database is migrated, and new ingesters write."""

import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path

import pytest

from db.connections import connected
from tests.conftest import run_aside

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
VERSIONS = "db/migrations/versions"
WITHIN_SECONDS = 60.0


def git(*arguments: str) -> bytes:
    """Return what git says of this tree; skips where the tree is no clone."""
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"this tree has no history: {done.stderr.decode().strip()}")
    return done.stdout


def newest_revision(commit: str) -> str:
    listed = git("ls-tree", "--name-only", f"{commit}:{VERSIONS}").decode().split()
    return max(name for name in listed if name[0].isdigit())[:4]


@pytest.fixture
def old_tree(tmp_path: Path) -> Path:
    """The newest tree whose schema is not today's."""
    today = max(path.name for path in (ROOT / VERSIONS).glob("0*.py"))[:4]
    commits = git("log", "--format=%H", "--", VERSIONS).decode().split()
    older = next((commit for commit in commits if newest_revision(commit) < today), None)
    if older is None:
        pytest.skip("this clone has no tree of an older schema")
    with tarfile.open(fileobj=BytesIO(git("archive", older))) as archive:
        archive.extractall(tmp_path / "old", filter="data")
    return tmp_path / "old"


@contextmanager
def running(tree: Path, log: Path, *arguments: str, **variables: str) -> Iterator[None]:
    """Run a role of a tree, and demand that SIGTERM ends it in order."""
    environment = {**os.environ, **variables, "PYTHONPATH": str(tree)}
    command = [sys.executable, "-m", "heliograph", *arguments]
    with log.open("wb") as output:
        role = subprocess.Popen(command, cwd=tree, env=environment, stderr=output)
        try:
            yield
        finally:
            role.terminate()
            assert 0 == role.wait(30), log.read_text()


@pytest.fixture
def venue() -> Iterator[str]:
    """What an ingester is told of a simulated venue that plays without end."""
    command = [sys.executable, "-m", "sim", "--venue", "binance", "--generate"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        addresses = {"stream_url": told["stream_url"], "rest_url": told["rest_url"]}
        yield json.dumps([{"venue": "binance", "symbols": ["BTC/USDT"], **addresses}])
        process.terminate()


def published(url: str) -> int:
    """Return how many final bars are in the log."""
    found: list[int] = []

    async def count() -> None:
        async with connected(url, "test") as connection:
            found.append(await connection.fetchval("SELECT count(*) FROM publications"))

    run_aside(count)
    return found[0]


def test_workers_of_the_schema_before_fold_what_new_ingesters_write(
    old_tree: Path, tmp_path: Path, venue: str, postgres_url: str, redis_url: str
) -> None:
    stores = {"HELIOGRAPH_DATABASE_URL": postgres_url, "HELIOGRAPH_REDIS_URL": redis_url}
    with ExitStack() as house:
        for name, role in (("live", ("worker", "live")), ("backfill", ("worker", "backfill"))):
            house.enter_context(running(old_tree, tmp_path / f"{name}.log", *role, **stores))
        feeds = {"HELIOGRAPH_INGEST_FEEDS": venue}
        house.enter_context(running(ROOT, tmp_path / "ingest.log", "ingest", "live", **stores, **feeds))
        deadline = time.monotonic() + WITHIN_SECONDS
        while published(postgres_url) < 2 and time.monotonic() < deadline:
            time.sleep(0.2)
    complaints = [
        line
        for name in ("live", "backfill")
        for line in (tmp_path / f"{name}.log").read_text().splitlines()
        if '"warning"' in line or '"error"' in line
    ]
    assert [] == complaints
    assert published(postgres_url) >= 2
