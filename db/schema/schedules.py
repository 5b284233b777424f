"""What the scheduler did, is doing, and is asked to do."""

from sqlalchemy import BigInteger, Column, Identity, Index, Table, Text

from db.schema.words import NOW, TIME, metadata

scheduled_runs = Table(
    "scheduled_runs",
    metadata,
    Column("run_id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False, comment="asked, running, done, failed, or interrupted"),
    Column("asked_at", TIME, nullable=False, server_default=NOW),
    Column("began_at", TIME, comment="null: asked for, and not begun yet"),
    Column("ended_at", TIME),
    Column("detail", Text, nullable=False, server_default="", comment="what came of it, or what failed"),
    Index(None, "name", "run_id"),
    comment="Each run of a chore of the scheduler.",
)

paused_chores = Table(
    "paused_chores",
    metadata,
    Column("name", Text, primary_key=True),
    Column("paused_at", TIME, nullable=False, server_default=NOW),
    comment="Chores that are not run until somebody resumes them, or asks for one run.",
)
