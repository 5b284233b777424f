"""Who changed what."""

from sqlalchemy import BigInteger, Column, Identity, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from db.schema.words import NOW, TIME, metadata

audit_log = Table(
    "audit_log",
    metadata,
    Column("audit_id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", TIME, nullable=False, server_default=NOW),
    Column("actor", Text, nullable=False, comment="who, and by which road: command line or API"),
    Column("noun", Text, nullable=False, comment="the table"),
    Column("change", Text, nullable=False, comment="insert, update, or delete"),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    comment="Append-only: what somebody changed, written by triggers in the change's transaction.",
)
