"""What could not be processed."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text

from db.schema.words import NOW, TIME, metadata

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
