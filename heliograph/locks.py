"""One process a folder: a lock file that names who holds it, and that dies with its holder."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from market.errors import StackError

_LOOK_AGAIN_SECONDS = 0.05


@contextmanager
def held(path: Path, *, patience_seconds: float = 0.0) -> Iterator[None]:
    """Hold the lock at ``path``; who comes second gets a StackError with the holder's process id."""
    with open_unlinked(path, "a+") as file:
        _acquire(file, path, time.monotonic() + patience_seconds)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def open_unlinked(path: Path, mode: str) -> IO[Any]:
    """Open a private file in a folder that another user may own, who must not lead us elsewhere by a link."""
    return open(path, mode, opener=_refusing_links)  # Path.open takes no opener


def _refusing_links(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _acquire(file: IO[str], path: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            if time.monotonic() >= deadline:
                raise StackError(_refusal(file, path)) from exc
            time.sleep(_LOOK_AGAIN_SECONDS)
        else:
            return


def _refusal(file: IO[str], path: Path) -> str:
    file.seek(0)
    holder = file.read().strip() or "unknown"
    return (
        f"{path.parent} is in use by process {holder}: stop it (kill {holder}), "
        "or choose another folder with --data-dir"
    )
