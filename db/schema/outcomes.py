"""What was computed from the tape, and what was told of it."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import JSON, JSONB

from db.schema.words import TIME, metadata


def _traded() -> list[Column[Any]]:
    """Return new columns of what a bar says, and where it is from."""
    return [
        Column("open", Double, nullable=False),
        Column("high", Double, nullable=False),
        Column("low", Double, nullable=False),
        Column("close", Double, nullable=False),
        Column("volume", Double, nullable=False),
        Column("quote_volume", Double, nullable=False),
        Column("buy_volume", Double, nullable=False),
        Column("sell_volume", Double, nullable=False),
        Column("trades", Integer, nullable=False),
        Column("source", Text, nullable=False, comment="live, or backfill when rebuilt"),
    ]


bars = Table(
    "bars",
    metadata,
    Column("instrument_id", Integer, primary_key=True, autoincrement=False),
    Column("interval_seconds", Integer, primary_key=True, autoincrement=False),
    Column("start", TIME, primary_key=True),
    *_traded(),
    comment="Final bars only, shorter than an hour.",
)

bars_1h = Table(
    "bars_1h",
    metadata,
    Column("instrument_id", Integer, primary_key=True, autoincrement=False),
    Column("start", TIME, primary_key=True),
    *_traded(),
    comment="Final bars of an hour; days are read from them.",
)

indicators = Table(
    "indicators",
    metadata,
    Column("instrument_id", Integer, primary_key=True, autoincrement=False),
    Column("ts", TIME, primary_key=True, comment="the end of a minute"),
    Column("kind", Text, primary_key=True),
    Column("version", SmallInteger, primary_key=True, autoincrement=False),
    Column("measured", JSONB, nullable=False, comment="what a signal would give as evidence"),
    Column("confidence", Double, nullable=False),
    Column("from_ts", TIME, nullable=False),
    Column("to_ts", TIME, nullable=False),
    Column("source", Text, nullable=False, server_default=text("'trades'"), comment="or depths"),
    comment="What each kind measured last before the end of a minute.",
)

signals = Table(
    "signals",
    metadata,
    Column("instrument_id", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("version", SmallInteger, primary_key=True, autoincrement=False),
    Column("ts", TIME, primary_key=True),
    Column("direction", Text, nullable=False),
    Column("strength", Double, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("price", Double, nullable=False),
    Column("evidence", JSONB, nullable=False),
    Column("from_ts", TIME, nullable=False),
    Column("to_ts", TIME, nullable=False),
    Column("received_at", TIME, nullable=False, comment="of the tick that decided it"),
    Column("committed_at", TIME, nullable=False),
    Column(
        "parameters_version", Integer, nullable=False, server_default=text("0"), comment="0: the kind's own"
    ),
    Column("parameters", JSONB, nullable=False, server_default=text("'{}'")),
    Column("code_version", Text, nullable=False, server_default=text("''")),
    Column("first_ts", TIME, comment="of the first tick of its input"),
    Column("first_id", BigInteger),
    Column("last_ts", TIME, comment="of the last tick of its input"),
    Column("last_id", BigInteger),
    Column("warm", Boolean, nullable=False, server_default=text("false"), comment="all its memory was seen"),
    Column("decided_ts", TIME, comment="the venue's time of the tick that decided it"),
    Column("stored_at", TIME, comment="when that tick was committed"),
    Column("claimed_at", TIME, comment="when a worker had claimed it; null: computed again, later"),
    Column("source", Text, nullable=False, server_default=text("'trades'"), comment="or depths"),
    Index(None, "instrument_id", "ts"),
    comment="Current truth under a content key: computing again gives the same row.",
)

publications = Table(
    "publications",
    metadata,
    Column("instrument_id", Integer, primary_key=True, autoincrement=False),
    Column("family", Text, primary_key=True),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("op", Text, nullable=False),
    Column("revises", BigInteger, comment="of a correction: the offset that it corrects"),
    Column("about", Text, nullable=False, comment="a signal's kind, a bar's interval"),
    Column("ts", TIME, nullable=False, comment="a signal's ts, a bar's start"),
    Column("data", JSON, nullable=False, comment="text as sent, not jsonb: subscribers get these bytes"),
    Column("committed_at", TIME, nullable=False),
    Index(None, "instrument_id", "family", "ts"),
    comment="The stream's append-only log.",
)
