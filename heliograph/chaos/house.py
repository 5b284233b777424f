"""Strikes on our own processes. Whoever keeps them starts them again."""

import signal
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

import psutil

from heliograph.chaos.plan import House
from heliograph.roles import INGEST

_Test = Callable[[psutil.Process], bool]


def _is_ingester(process: psutil.Process) -> bool:
    return tuple(process.cmdline()[-len(INGEST.arguments) :]) == INGEST.arguments


def _is_postmaster(process: psutil.Process) -> bool:
    parent = process.parent()
    return process.name() == "postgres" and parent is not None and parent.name() != "postgres"


def _is_valkey(process: psutil.Process) -> bool:
    return process.name().startswith("valkey-server")


_STRIKES: Final[Mapping[House, tuple[_Test, signal.Signals]]] = {
    House.KILL_INGEST: (_is_ingester, signal.SIGKILL),
    House.RESTART_POSTGRES: (_is_postmaster, signal.SIGINT),
    House.CRASH_POSTGRES: (_is_postmaster, signal.SIGQUIT),
    House.CRASH_VALKEY: (_is_valkey, signal.SIGKILL),
}
"""PostgreSQL takes SIGINT as a fast shutdown, SIGQUIT as an immediate one: its next start recovers."""


def strike(what: House, random: Random) -> bool:
    """Strike one of our descendants; tell whether there was one, for it may be down already."""
    is_meant, number = _STRIKES[what]
    found = [process for process in psutil.Process().children(recursive=True) if _alive(process, is_meant)]
    if not found:
        return False
    random.choice(found).send_signal(number)
    return True


def _alive(process: psutil.Process, is_meant: _Test) -> bool:
    """Ask a process that may end meanwhile."""
    try:
        return is_meant(process)
    except psutil.NoSuchProcess:
        return False
