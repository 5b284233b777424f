"""What is proven, and where it is not."""

from sqlalchemy import BigInteger, Column, Date, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import TSTZMULTIRANGE

from db.schema.words import NOW, TIME, metadata

proofs = Table(
    "proofs",
    metadata,
    Column("instrument_id", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True, comment="trades or depths"),
    Column("from_ts", TIME, primary_key=True),
    Column("to_ts", TIME, nullable=False, comment="moved forward with the ticks that prove it"),
    Column("source", Text, primary_key=True, comment="live, or history"),
    comment="Intervals in which a feed was proven up. Gaps that are not closed override them.",
)

dropped_days = Table(
    "dropped_days",
    metadata,
    Column("instrument_id", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True, comment="trades, quotes, or depths"),
    Column("day", Date, primary_key=True),
    Column("lacking", TSTZMULTIRANGE, nullable=False, comment="what history has not brought again"),
    comment="Days that held ticks and were dropped: what was computed of them stands as it was told.",
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
