"""How much memory this process holds, and how much it may hold."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_STATM: Final = Path("/proc/self/statm")
_LIMITS: Final = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_UNLIMITED: Final = 2**60
"""The first version of control groups says "no limit" with a number close to 2**63."""


def resident_bytes() -> int | None:
    """Return the memory that this process holds; None where the system does not say it so."""
    try:
        pages = int(_STATM.read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def limit_bytes(files: Iterable[Path] = _LIMITS) -> int | None:
    """Return the limit of the control group that this process runs in; None where there is none."""
    for file in files:
        try:
            text = file.read_text().strip()
        except OSError:
            continue
        return int(text) if text.isdigit() and int(text) < _UNLIMITED else None
    return None
