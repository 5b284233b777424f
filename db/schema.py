"""The one definition of the schema. Alembic migrates towards it; a test compares the two.

Times are ``timestamptz``; in Python they are microseconds. Hot tables have no foreign keys.
Tables that Citus would distribute carry ``instrument_id`` in every unique key.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB, TIMESTAMP

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

TIME = TIMESTAMP(timezone=True)
NOW = text("clock_timestamp()")

installation = Table(
    "installation",
    metadata,
    Column("one", SmallInteger, CheckConstraint("one = 1", name="single"), primary_key=True),
    Column("epoch", Text, nullable=False, comment="names this log of publications; another after a restore"),
    Column("shards", SmallInteger, nullable=False, comment="set at the first migration, for ever"),
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

trades = Table(
    "trades",
    metadata,
    Column("exchange_id", SmallInteger, primary_key=True, autoincrement=False),
    Column("instrument_id", Integer, primary_key=True, autoincrement=False),
    Column("ts", TIME, primary_key=True),
    Column("trade_id", BigInteger, primary_key=True, autoincrement=False),
    Column("price", Double, nullable=False),
    Column("size", Double, nullable=False),
    Column("side", SmallInteger, nullable=False, comment="1 the taker bought, -1 sold, 0 not told"),
    Column("received_at", TIME, nullable=False),
    Index(None, "exchange_id", "ts"),
    postgresql_partition_by="RANGE (ts)",
)

quotes = Table(
    "quotes",
    metadata,
    Column("exchange_id", SmallInteger, primary_key=True, autoincrement=False),
    Column("instrument_id", Integer, primary_key=True, autoincrement=False),
    Column("ts", TIME, primary_key=True),
    Column("update_id", BigInteger, primary_key=True, autoincrement=False),
    Column("bid_price", Double, nullable=False),
    Column("bid_size", Double, nullable=False, comment="NaN: the venue does not tell"),
    Column("ask_price", Double, nullable=False),
    Column("ask_size", Double, nullable=False, comment="NaN: the venue does not tell"),
    Column("received_at", TIME, nullable=False),
    postgresql_partition_by="RANGE (ts)",
)

depths = Table(
    "depths",
    metadata,
    Column("exchange_id", SmallInteger, primary_key=True, autoincrement=False),
    Column("instrument_id", Integer, primary_key=True, autoincrement=False),
    Column("ts", TIME, primary_key=True),
    Column("update_id", BigInteger, primary_key=True, autoincrement=False),
    Column("bid_prices", ARRAY(Double), nullable=False),
    Column("bid_sizes", ARRAY(Double), nullable=False),
    Column("ask_prices", ARRAY(Double), nullable=False),
    Column("ask_sizes", ARRAY(Double), nullable=False),
    Column("received_at", TIME, nullable=False),
    postgresql_partition_by="RANGE (ts)",
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("exchange_id", SmallInteger, primary_key=True, autoincrement=False),
    Column("instrument_id", Integer, primary_key=True, autoincrement=False),
    Column("ts", TIME, primary_key=True),
    Column("received_at", TIME, nullable=False),
    comment="Venue time as it passed, at most one a second: part of the tape.",
)

bars = Table(
    "bars",
    metadata,
    Column("instrument_id", Integer, primary_key=True, autoincrement=False),
    Column("interval_seconds", Integer, primary_key=True, autoincrement=False),
    Column("start", TIME, primary_key=True),
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
    comment="Final bars only.",
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
    comment="The stream's append-only log.",
)

shards = Table(
    "shards",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    comment="Lock rows, never updated: who holds one orders the shard.",
)

batches = Table(
    "batches",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("writer", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("ticks", Integer, nullable=False),
    Column("listing", LargeBinary, nullable=False, comment="market.batches, msgpack"),
    Column("created_at", TIME, nullable=False, server_default=NOW),
)

writers = Table(
    "writers",
    metadata,
    Column("writer", Integer, primary_key=True, autoincrement=False),
    comment="Slots of ingest writers that ever wrote: few, so that a claim looks beyond each one's done.",
)

states = Table(
    "states",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("head", LargeBinary, nullable=False, comment="done, cursors, next offsets: small, each claim"),
    comment="Appended, never updated: a double fold is a unique violation.",
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "folds", LargeBinary, nullable=False, comment="every fold of the shard as it was some seconds ago"
    ),
    comment="Where a worker that takes over begins to fold again, silently.",
)

dirty = Table(
    "dirty",
    metadata,
    Column("dirty_id", BigInteger, primary_key=True),
    Column("instrument_id", Integer, nullable=False),
    Column("interval_seconds", Integer, nullable=False, comment="of the bars that it covers"),
    Column("from_ts", TIME, nullable=False),
    Column("to_ts", TIME, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", TIME, nullable=False, server_default=NOW),
    Index(None, "to_ts"),
    comment="Whole bars' intervals that must be computed again; half-open.",
)

proofs = Table(
    "proofs",
    metadata,
    Column("instrument_id", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True, comment="trades or depths"),
    Column("from_ts", TIME, primary_key=True),
    Column("to_ts", TIME, nullable=False, comment="moved forward with the ticks that prove it"),
    Column("source", Text, nullable=False, comment="live, or history"),
    comment="Intervals in which a feed was proven up. Gaps that are not closed override them.",
)

gaps = Table(
    "gaps",
    metadata,
    Column("gap_id", BigInteger, primary_key=True),
    Column("instrument_id", Integer, nullable=False),
    Column("kind", Text, nullable=False, comment="trades or depths"),
    Column("cause", Text, nullable=False),
    Column("state", Text, nullable=False, comment="open, healing, closed, or unrecoverable"),
    Column("from_ts", TIME, nullable=False),
    Column("to_ts", TIME, nullable=False),
    Column("after_id", BigInteger, comment="the last trade before it"),
    Column("before_id", BigInteger, comment="the first trade after it, once there is one"),
    Column("job_id", BigInteger, comment="the job that heals it"),
    Column("opened_at", TIME, nullable=False, server_default=NOW),
    Column("closed_at", TIME),
    Column("detail", Text, nullable=False, server_default=""),
    Index(None, "instrument_id", "kind", "to_ts"),
    Index("gaps_unsettled_idx", "instrument_id", postgresql_where=text("state IN ('open', 'healing')")),
    comment="Intervals in which a feed was not proven up.",
)

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", BigInteger, primary_key=True),
    Column("kind", Text, nullable=False, comment="heal, or recent"),
    Column("state", Text, nullable=False, comment="waiting, running, done, or failed"),
    Column("created_at", TIME, nullable=False, server_default=NOW),
    Column("finished_at", TIME),
    Column("detail", Text, nullable=False, server_default=""),
    comment="What was asked of the backfill lane.",
)

chunks = Table(
    "chunks",
    metadata,
    Column("chunk_id", BigInteger, primary_key=True),
    Column("job_id", BigInteger, nullable=False, index=True),
    Column("gap_id", BigInteger, comment="the gap that it heals"),
    Column("instrument_id", Integer, nullable=False),
    Column("from_ts", TIME, nullable=False),
    Column("to_ts", TIME, nullable=False),
    Column("cursor", Text, nullable=False, server_default="", comment="where the next page begins"),
    Column("state", Text, nullable=False, comment="waiting, done, or failed"),
    Column("attempts", Integer, nullable=False, server_default="0", comment="in a row without an answer"),
    Column("due_at", TIME, nullable=False, server_default=NOW),
    Column("leased_until", TIME),
    Column("leased_by", Text),
    Column("requests", Integer, nullable=False, server_default="0"),
    Column("stored", BigInteger, nullable=False, server_default="0", comment="rows that were new"),
    Column("detail", Text, nullable=False, server_default=""),
    Index("chunks_due_idx", "due_at", postgresql_where=text("state = 'waiting'")),
    comment="The pieces of a job; the cursor of one is committed with its rows.",
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("dead_letter_id", BigInteger, primary_key=True),
    Column("source", Text, nullable=False, comment="frame, tick, or fold"),
    Column("exchange", Text, nullable=False),
    Column("instrument_id", Integer),
    Column("reason", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False, comment="whole, as it came"),
    Column("code_version", Text, nullable=False),
    Column("created_at", TIME, nullable=False, server_default=NOW),
)

quarantines = Table(
    "quarantines",
    metadata,
    Column("instrument_id", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("from_ts", TIME, nullable=False),
    Column("dead_letter_id", BigInteger, nullable=False),
    comment="Folds that failed, stopped for their instrument from one tick on.",
)

feeds = Table(
    "feeds",
    metadata,
    Column("exchange", Text, primary_key=True),
    Column("url", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("symbols", ARRAY(Text), nullable=False),
    Column("last_frame_at", TIME),
    Column("detail", Text, nullable=False),
    Column("updated_at", TIME, nullable=False),
    comment="One row a connection, written about once a second.",
)

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

HOT = (trades, quotes, depths)
"""Partitioned by day, in the order in which every transaction writes them."""
