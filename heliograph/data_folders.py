"""The folders that the one-machine stack keeps its data in, and what they may hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from market.errors import StackError


class Purpose(StrEnum):
    """What a data folder holds. Invented ticks never meet real ones."""

    LIVE = "live"
    SIMULATED = "simulated"


def default_folder(command: str) -> Path:
    """Return the folder of a command: ``up``, ``demo``, and ``replay`` have one each."""
    from platformdirs import user_data_path

    try:
        return user_data_path("heliograph", appauthor=False) / command
    except RuntimeError as exc:
        message = "this user has no home folder to keep data in: set HOME, or choose a --data-dir"
        raise StackError(message) from exc


@contextmanager
def usable(folder: Path) -> Iterator[None]:
    """Raise StackError, saying what to do, when the operating system does not let us use ``folder``."""
    try:
        yield
    except OSError as exc:
        message = f"cannot use {folder}: {exc.strerror}; choose another --data-dir"
        raise StackError(message) from exc


def claim(folder: Path, purpose: Purpose) -> Path:
    """Make ``folder`` if need be, private, and see that it holds what it is about to be used for."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = folder / "purpose"
    if not mark.exists():
        mark.write_text(f"{purpose}\n")
    held = mark.read_text().strip()
    if held != purpose:
        message = f"{folder} holds {held} ticks, and these would be {purpose}: choose another --data-dir"
        if held == Purpose.SIMULATED:
            message += "; what a replay found is shown by heliograph replay --stay"
        raise StackError(message)
    (folder / "logs").mkdir(exist_ok=True)
    return folder.absolute()


@contextmanager
def page_told(folder: Path, address: str) -> Iterator[None]:
    """Keep the address of the page in ``folder`` while the block runs."""
    note = folder / "page"
    note.write_text(f"{address}\n")
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def page_of(folder: Path) -> str | None:
    """Return the address of the page of the stack that runs in ``folder``."""
    try:
        return (folder / "page").read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
