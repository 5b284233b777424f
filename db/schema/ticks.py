"""The tape."""

from sqlalchemy import BigInteger, Column, Double, Index, Integer, SmallInteger, Table
from sqlalchemy.dialects.postgresql import ARRAY

from db.schema.words import TIME, metadata

trades = Table(
    "trades",
    metadata,
    Column("exchange_id", SmallInteger, primary_key=True, autoincrement=False),
    Column(
        "side",
        SmallInteger,
        nullable=False,
        comment="1 the taker bought, -1 sold, 0 not told; here it fills what would be padding",
    ),
    Column("instrument_id", Integer, primary_key=True, autoincrement=False),
    Column("ts", TIME, primary_key=True),
    Column("trade_id", BigInteger, primary_key=True, autoincrement=False),
    Column("price", Double, nullable=False),
    Column("size", Double, nullable=False),
    Column("received_at", TIME, nullable=False),
    Index(None, "ts", postgresql_using="brin"),
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
