"""What waits for workers, and how far they are."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, Table, Text

from db.schema.words import NOW, TIME, metadata

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
