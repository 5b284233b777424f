"""Who runs."""

from sqlalchemy import Column, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from db.schema.words import TIME, metadata

processes = Table(
    "processes",
    metadata,
    Column("process_id", Text, primary_key=True, comment="host:pid:start"),
    Column("role", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", TIME, nullable=False),
    Column("seen_at", TIME, nullable=False),
    Column("stopped_at", TIME),
    Column("counters", JSONB, nullable=False, comment="running totals of this process"),
    comment="Heartbeats, about one a second; off the claim.",
)
