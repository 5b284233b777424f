"""What was verified."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSON

from db.schema.words import TIME, metadata

verifications = Table(
    "verifications",
    metadata,
    Column("verification_id", BigInteger, primary_key=True),
    Column("instrument_id", Integer, nullable=False),
    Column("from_ts", TIME, nullable=False),
    Column("to_ts", TIME, nullable=False),
    Column("started_at", TIME, nullable=False),
    Column("finished_at", TIME, nullable=False),
    Column("code_version", Text, nullable=False),
    Column("bars", Integer, nullable=False, comment="compared"),
    Column("signals", Integer, nullable=False, comment="compared"),
    Column("indicators", Integer, nullable=False, server_default=text("0"), comment="compared"),
    Column("differences", Integer, nullable=False),
    Column("found", JSON, nullable=False, comment="the first of the differences"),
    Column("unverified", JSON, nullable=False, comment="what could not be judged"),
    Index(None, "from_ts"),
    comment="One row an instrument and scheduled run.",
)
