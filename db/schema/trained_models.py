"""What was learned from the past, and how far it was applied."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from db.schema.words import NOW, TIME, metadata

trained_models = Table(
    "trained_models",
    metadata,
    Column("model_id", Integer, primary_key=True),
    Column("instrument_id", Integer, nullable=False),
    Column("version", SmallInteger, nullable=False, comment="what the signals of this model carry"),
    Column("type", Text, nullable=False, comment="how the blob is read, of those that are allowed"),
    Column("state", Text, nullable=False, comment="candidate, in use, or retired"),
    Column("trained_from", TIME, nullable=False),
    Column("trained_to", TIME, nullable=False),
    Column("minutes", Integer, nullable=False, comment="bars in that range, those held out among them"),
    Column("features", ARRAY(Text), nullable=False),
    Column("metrics", JSONB, nullable=False, comment="out of sample"),
    Column("libraries", JSONB, nullable=False, comment="versions of what it was trained with"),
    Column("code_version", Text, nullable=False),
    Column("sha256", Text, nullable=False, comment="of the blob"),
    Column("blob", LargeBinary, nullable=False, comment="plain numbers, never code"),
    Column("verdict", Text, nullable=False, server_default="", comment="of the last check"),
    Column("from_ts", TIME, comment="it decides for minutes that end after this"),
    Column("to_ts", TIME, comment="and up to this"),
    Column("job_id", BigInteger, comment="the job that trained it"),
    Column("created_at", TIME, nullable=False, server_default=NOW),
    UniqueConstraint("instrument_id", "version"),
    Index(
        "trained_models_in_use_key", "instrument_id", unique=True, postgresql_where=text("state = 'in use'")
    ),
    comment="Models of one instrument each.",
)

scorings = Table(
    "scorings",
    metadata,
    Column("instrument_id", Integer, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, nullable=False, comment="of its bars' log: up to here all is scored"),
    comment="How far models were applied: a subscriber's place, moved with what it came to.",
)
