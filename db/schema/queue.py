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

commits = Table(
    "commits",
    metadata,
    Column("writer", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    comment="The newest transactions of each slot: a commit without an answer is looked up.",
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
    Column("from_ts", TIME, nullable=False),
    Column("to_ts", TIME, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", TIME, nullable=False, server_default=NOW),
    Index(None, "instrument_id", "to_ts"),
    comment="Stretches of a tape that must be computed again; half-open.",
)

staged = Table(
    "staged",
    metadata,
    Column("staged_id", BigInteger, primary_key=True),
    Column("shard", SmallInteger, nullable=False),
    Column("instrument_id", Integer, nullable=False),
    Column("purpose", Text, nullable=False, comment="repair, or score"),
    Column("version", BigInteger, nullable=False, comment="of the shard's state that it was made beside"),
    Column("from_ts", TIME, nullable=False, comment="what was asked for"),
    Column("to_ts", TIME, nullable=False),
    Column("body", LargeBinary, nullable=False, comment="what came of it, msgpack"),
    Column("created_at", TIME, nullable=False, server_default=NOW),
    comment="What was computed aside, for a live worker to tell.",
)
