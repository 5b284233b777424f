"""The small process that owns both stores, so that they end when whoever asked for them does."""

import json
import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from heliograph.embedded import folders
from heliograph.embedded.accounts import unprivileged
from heliograph.embedded.postgres import Postgres
from heliograph.embedded.valkey import Valkey
from heliograph.locks import held
from market.errors import StackError

_PATIENCE_SECONDS = 10.0
"""A parent was killed and another one starts: its stores may still be shutting down."""

_ORPHANS_SECONDS = 2.0
_RESTARTS = 20


class Guardian:
    """Runs both stores until its parent's pipe ends or a signal comes, and restarts one that died."""

    def __init__(self, home: Path, *, durable: bool) -> None:
        """Describe the stores in ``home``."""
        account = unprivileged()
        self._postgres = Postgres(home, account, durable=durable)
        self._valkey = Valkey(home, account)
        self._wake = _signals()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run both stores; Valkey stops first, PostgreSQL last."""
        try:
            self._postgres.start(_PATIENCE_SECONDS)
            self._valkey.start()
            yield
        finally:
            self._valkey.stop()
            self._postgres.stop()

    def announcement(self) -> str:
        """Return the one line that tells a parent where the stores are."""
        urls = {"database_url": self._postgres.url, "redis_url": self._valkey.url}
        return json.dumps({**urls, "pid": os.getpid()})

    def watch(self, parent: int) -> None:
        """Return when the pipe ``parent`` ends or we are told to stop."""
        deaths = 0
        while not self._told_to_stop(parent):
            deaths += self._restarted()
            if deaths > _RESTARTS:
                message = f"the embedded stores died {deaths} times"
                raise StackError(message)

    def _restarted(self) -> int:
        """Start again what died and return how many that were."""
        postgres_died, valkey_died = (_died(store) for store in (self._postgres, self._valkey))
        if postgres_died:
            self._postgres.start(_PATIENCE_SECONDS)
        if valkey_died:
            self._valkey.start()
        return postgres_died + valkey_died

    def _told_to_stop(self, parent: int) -> bool:
        """Wait for something to happen; the death of a child is no reason to stop."""
        readable, _, _ = select.select([parent, self._wake], [], [])
        if self._wake in readable and set(os.read(self._wake, 64)) != {signal.SIGCHLD}:
            return True
        if parent in readable and not os.read(parent, 64):
            # The parent died, and its other children drain now: they need the stores for it.
            select.select([self._wake], [], [], _ORPHANS_SECONDS)
            return True
        return False


def _died(store: Postgres | Valkey) -> bool:
    return store.process is not None and store.process.poll() is not None


def _signals() -> int:
    """Return the descriptor that says which signals came."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)  # the parameter has no name
    signal.set_wakeup_fd(writer)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, lambda _number, _frame: None)
    return reader


def guard(data_dir: Path | None) -> None:
    """Run the stores of ``data_dir``, or of a folder that is removed at the end."""
    throwaway = data_dir is None
    account = unprivileged()
    if account is not None:
        folders.sweep()
    home = folders.throwaway_home(account) if data_dir is None else folders.home_of(data_dir, account)
    try:
        with held(home / "stores.lock", patience_seconds=_PATIENCE_SECONDS):
            guardian = Guardian(home, durable=not throwaway)
            with guardian.running():
                sys.stdout.write(f"{guardian.announcement()}\n")
                sys.stdout.flush()
                guardian.watch(sys.stdin.fileno())
    finally:
        if throwaway:
            folders.remove(home)
