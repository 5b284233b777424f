"""The roles: programs that run for as long as the house is open, each in a process of its own."""

import sys
from collections.abc import Mapping
from typing import NamedTuple

from db import logins
from db.logins import Login
from heliograph.supervisor import Program


class Role(NamedTuple):
    """A role, the command that runs it, and what it logs in as; None: as who owns the database."""

    name: str
    arguments: tuple[str, ...]
    login: Login | None = None

    def program(self, environment: Mapping[str, str], number: int = 1) -> Program:
        """Return this role's program; further ones of a role are numbered."""
        name = self.name if number == 1 else f"{self.name}-{number}"
        return Program(name, (sys.executable, "-m", "heliograph", *self.arguments), environment)


MIGRATE = Role("migrate", ("db", "migrate"))
API = Role("api", ("api",), logins.API)
WORKER_LIVE = Role("worker-live", ("worker", "live"), logins.WORKER)
WORKER_BACKFILL = Role("worker-backfill", ("worker", "backfill"), logins.BACKFILL)
WORKER_SCORING = Role("worker-scoring", ("worker", "scoring"), logins.WORKER)
SCHEDULER = Role("scheduler", ("scheduler",))
INGEST = Role("ingest", ("ingest", "live"), logins.INGEST)
INGEST_HISTORY = Role("ingest-history", ("ingest", "history"), logins.BACKFILL)

ROLES = (API, SCHEDULER, WORKER_BACKFILL, WORKER_SCORING, INGEST_HISTORY, WORKER_LIVE, INGEST)
"""In the order in which they start; they stop in the reverse one."""
