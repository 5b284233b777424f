"""Children live as long as they should, and no longer."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from heliograph.supervisor import Change, Program, State, Supervisor, supervising
from market.errors import ConfigurationError, StackError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WAIT_SECONDS = 15

DRAINS = """
import asyncio, os
from runtime.lifecycle import run_until_stopped
run_until_stopped(lambda stopping: stopping.wait(), int(os.environ["HELIOGRAPH_PARENT_FD"]))
"""
HANGS = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(int(sys.argv[1]), b"deaf")
time.sleep(99)
"""


class Watch:
    """What happened, to wait for."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, change: Change) -> None:
        self.changes.append(change)
        task = asyncio.create_task(self._announce())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _announce(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def until(self, state: State, times: int = 1) -> Change:
        def seen() -> list[Change]:
            return [change for change in self.changes if change.state is state]

        async with asyncio.timeout(WAIT_SECONDS), self._news:
            await self._news.wait_for(lambda: len(seen()) >= times)
        return seen()[times - 1]


def python(name: str, source: str, *, restarted: bool = True) -> Program:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return Program(name, (sys.executable, "-c", source), environment, restarted)


async def test_programs_stop_in_the_reverse_order(tmp_path: Path) -> None:
    watch = Watch()
    async with supervising(tmp_path, watch) as supervisor:
        await supervisor.start(python("first", DRAINS))
        await supervisor.start(python("second", DRAINS))
    stopped = [change.program for change in watch.changes if change.state is State.STOPPED]
    assert stopped == ["second", "first"]
    assert [] == [change for change in watch.changes if psutil.pid_exists(change.pid)]


async def test_a_dead_program_is_started_again(tmp_path: Path) -> None:
    watch = Watch()
    async with supervising(tmp_path, watch) as supervisor:
        await supervisor.start(python("role", DRAINS))
        os.kill((await watch.until(State.STARTED)).pid, signal.SIGKILL)
        assert (await watch.until(State.DIED)).detail == "was killed by SIGKILL"
        again = await watch.until(State.STARTED, times=2)
        assert psutil.pid_exists(again.pid)


async def test_a_program_deaf_to_sigterm_is_killed(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    watch = Watch()
    deaf = Program("deaf", (sys.executable, "-c", HANGS, str(writer)), os.environ, descriptors=(writer,))
    async with supervising(tmp_path, watch) as supervisor:
        await supervisor.start(deaf)
        assert await asyncio.to_thread(os.read, reader, 4) == b"deaf"
    os.close(reader)
    os.close(writer)
    assert not psutil.pid_exists(watch.changes[0].pid)


async def test_a_program_that_may_not_be_restarted_takes_everything_down(tmp_path: Path) -> None:
    watch = Watch()

    async def wait_beside(supervisor: Supervisor) -> None:
        await supervisor.start(python("role", DRAINS))
        await supervisor.start(python("venue", "raise SystemExit('no tape')", restarted=False))
        await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as caught:
        async with supervising(tmp_path, watch) as supervisor:
            await wait_beside(supervisor)
    assert "no tape" in str(caught.value.exceptions[0])
    assert [] == [change for change in watch.changes if psutil.pid_exists(change.pid)]


async def test_a_failed_errand_says_why(tmp_path: Path) -> None:
    with pytest.raises((StackError, ExceptionGroup)) as caught:
        async with supervising(tmp_path, Watch()) as supervisor:
            await supervisor.complete(python("migrate", "raise SystemExit('no database')"))
    assert caught.group_contains(StackError, match="no database")


def test_a_killed_supervisor_leaves_no_program_behind(tmp_path: Path) -> None:
    source = f"""
import asyncio, os, sys
from pathlib import Path
from heliograph.supervisor import Program, supervising
def tell(change):
    print(change.pid, flush=True)
async def main():
    async with supervising(Path({str(tmp_path)!r}), tell) as supervisor:
        for name in ("one", "two"):
            await supervisor.start(Program(name, (sys.executable, "-c", {DRAINS!r}), dict(os.environ)))
        await asyncio.Event().wait()
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", source], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        children = [psutil.Process(int(parent.stdout.readline())) for _ in range(2)]
        parent.kill()
    assert [] == psutil.wait_procs(children, WAIT_SECONDS)[1]


async def test_a_role_that_refuses_its_configuration_takes_everything_down(tmp_path: Path) -> None:
    refuses = "import sys; sys.stderr.write('heliograph: HELIOGRAPH_X=y: no\\n'); sys.exit(78)"
    watch = Watch()

    async def wait_beside(supervisor: Supervisor) -> None:
        await supervisor.start(python("role", DRAINS))
        await supervisor.start(python("other", refuses))
        await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as caught:
        async with supervising(tmp_path, watch) as supervisor:
            await wait_beside(supervisor)
    assert caught.group_contains(ConfigurationError, match="^HELIOGRAPH_X=y: no$")
    assert State.DIED not in {change.state for change in watch.changes}
