"""What was decided once, and what there is to trade."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Double,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from db.schema.words import NOW, TIME, metadata

installation = Table(
    "installation",
    metadata,
    Column("one", SmallInteger, CheckConstraint("one = 1", name="single"), primary_key=True),
    Column("epoch", Text, nullable=False, comment="names this log of publications; another after a restore"),
    Column("shards", SmallInteger, nullable=False, comment="set at the first migration, for ever"),
    Column("cursor_key", LargeBinary, nullable=False, comment="signs cursors; made once"),
    comment="One row: what was decided once.",
)

exchanges = Table(
    "exchanges",
    metadata,
    Column("exchange_id", SmallInteger, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)

instruments = Table(
    "instruments",
    metadata,
    Column("instrument_id", Integer, primary_key=True),
    Column("exchange_id", SmallInteger, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("venue_symbol", Text, nullable=False),
    Column("market", Text, nullable=False),
    Column("base", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("contract_size", Double, nullable=False),
    Column("size_unit", Text, nullable=False),
    Column("shard", SmallInteger, nullable=False),
    Column("listed_at", TIME, nullable=False, server_default=NOW),
    UniqueConstraint("exchange_id", "symbol"),
)
