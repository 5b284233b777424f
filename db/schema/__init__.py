"""The one definition of the schema. Alembic migrates towards it; a test compares the two.

Times are ``timestamptz``; in Python they are microseconds. Hot tables have no foreign keys.
Tables that Citus would distribute carry ``instrument_id`` in every unique key.
"""

from db.schema.audit import audit_log
from db.schema.dead_letters import dead_letters, quarantines
from db.schema.feeds import feeds, sockets
from db.schema.gaps import dropped_days, gaps, proofs
from db.schema.instruments import exchanges, installation, instruments
from db.schema.jobs import chunks, jobs
from db.schema.outcomes import bars, bars_1h, indicators, publications, signals
from db.schema.parameters import parameters
from db.schema.processes import processes
from db.schema.queue import batches, checkpoints, commits, dirty, shards, staged, states, writers
from db.schema.schedules import paused_chores, scheduled_runs
from db.schema.ticks import depths, quotes, trades, watermarks
from db.schema.trained_models import scorings, trained_models
from db.schema.verifications import verifications
from db.schema.words import metadata

__all__ = [
    "audit_log",
    "bars",
    "bars_1h",
    "batches",
    "checkpoints",
    "chunks",
    "commits",
    "dead_letters",
    "depths",
    "dirty",
    "dropped_days",
    "exchanges",
    "feeds",
    "gaps",
    "indicators",
    "installation",
    "instruments",
    "jobs",
    "metadata",
    "parameters",
    "paused_chores",
    "processes",
    "proofs",
    "publications",
    "quarantines",
    "quotes",
    "scheduled_runs",
    "scorings",
    "shards",
    "signals",
    "sockets",
    "staged",
    "states",
    "trades",
    "trained_models",
    "verifications",
    "watermarks",
    "writers",
]
