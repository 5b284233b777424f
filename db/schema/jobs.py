"""What the backfill lane is asked for."""

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, Table, Text, text

from db.schema.words import NOW, TIME, metadata

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", BigInteger, primary_key=True),
    Column("kind", Text, nullable=False, comment="heal, recent, backfill, import, recompute, or train"),
    Column("state", Text, nullable=False, comment="waiting, running, paused, done, cancelled, or failed"),
    Column("created_at", TIME, nullable=False, server_default=NOW),
    Column("finished_at", TIME),
    Column("detail", Text, nullable=False, server_default=""),
    Column("from_ts", TIME, comment="of a backfill: what was asked for, whatever was there already"),
    Column("to_ts", TIME),
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
    Column("state", Text, nullable=False, comment="waiting, done, cancelled, or failed"),
    Column("attempts", Integer, nullable=False, server_default="0", comment="in a row without an answer"),
    Column("rounds", Integer, nullable=False, server_default="0", comment="whole answers that lacked trades"),
    Column("due_at", TIME, nullable=False, server_default=NOW),
    Column("leased_until", TIME),
    Column("leased_by", Text),
    Column("requests", Integer, nullable=False, server_default="0"),
    Column("stored", BigInteger, nullable=False, server_default="0", comment="rows that were new"),
    Column("detail", Text, nullable=False, server_default=""),
    Column("priority", SmallInteger, nullable=False, server_default="0", comment="the lowest first"),
    Column("rows", BigInteger, nullable=False, server_default="0", comment="about so many there are"),
    Column("fetched", BigInteger, nullable=False, server_default="0", comment="rows that came, new or not"),
    Index("chunks_due_idx", "priority", "due_at", postgresql_where=text("state = 'waiting'")),
    comment="The pieces of a job; the cursor of one is committed with its rows.",
)
