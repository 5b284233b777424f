"""The folders that the one-machine stack keeps its data in, and what they may hold."""

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

    return user_data_path("heliograph", appauthor=False) / command


def claim(folder: Path, purpose: Purpose) -> Path:
    """Make ``folder`` if need be, private, and see that it holds what it is about to be used for."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = folder / "purpose"
    if not mark.exists():
        mark.write_text(f"{purpose}\n")
    held = mark.read_text().strip()
    if held != purpose:
        message = f"{folder} holds {held} ticks, and these would be {purpose}: choose another --data-dir"
        raise StackError(message)
    (folder / "logs").mkdir(exist_ok=True)
    return folder.absolute()
