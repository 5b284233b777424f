"""Strikes on our own processes. Whoever keeps them starts them again."""

import signal
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

import psutil

from heliograph.chaos.plan import House
from heliograph.roles import API, INGEST, WORKER_BACKFILL, WORKER_LIVE, Role

_Test = Callable[[psutil.Process], bool]


def _is(*roles: Role) -> _Test:
    """Return the test whether a process is of one of these roles."""

    def is_one(process: psutil.Process) -> bool:
        command = tuple(process.cmdline())
        return any(command[-len(role.arguments) :] == role.arguments for role in roles)

    return is_one


def _is_postmaster(process: psutil.Process) -> bool:
    parent = process.parent()
    return process.name() == "postgres" and parent is not None and parent.name() != "postgres"


def _is_valkey(process: psutil.Process) -> bool:
    return process.name().startswith("valkey-server")


_STRIKES: Final[Mapping[House, tuple[_Test, signal.Signals]]] = {
    House.KILL_INGEST: (_is(INGEST), signal.SIGKILL),
    House.KILL_WORKER: (_is(WORKER_LIVE, WORKER_BACKFILL), signal.SIGKILL),
    House.KILL_API: (_is(API), signal.SIGKILL),
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
