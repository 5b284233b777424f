"""With which numbers kinds of signal are computed, where somebody chose others than their own."""

from sqlalchemy import BigInteger, Column, Identity, Integer, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB

from db.schema.words import NOW, TIME, metadata

parameters = Table(
    "parameters",
    metadata,
    Column("parameters_id", BigInteger, Identity(always=True), primary_key=True),
    Column("instrument_id", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", Integer, nullable=False, comment="from 1; 0 is the kind's own"),
    Column("from_ts", TIME, nullable=False, comment="event time from which on it counts"),
    Column("numbers", JSONB, nullable=False, comment="all of them"),
    Column("set_at", TIME, nullable=False, server_default=NOW),
    UniqueConstraint("instrument_id", "kind", "version"),
    comment="Append-only: of the versions that have begun at a time, the newest counts.",
)
