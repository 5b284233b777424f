"""What is to be listened to, and how the listening does."""

from sqlalchemy import Column, Integer, SmallInteger, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY

from db.schema.words import NOW, TIME, metadata

feeds = Table(
    "feeds",
    metadata,
    Column("feed_id", Integer, primary_key=True, comment="also the key of its advisory locks"),
    Column("exchange", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("protocol", Text, comment="the version of the venue's protocol; null: the newest"),
    Column("stream_url", Text, comment="scheme, host, and port in place of the venue's own socket"),
    Column("rest_url", Text, comment="the same for REST"),
    Column("state", Text, nullable=False, comment="active, paused, or closed"),
    Column("reason", Text, nullable=False, server_default="", comment="why it is closed"),
    Column("added_at", TIME, nullable=False, server_default=NOW),
    Column("changed_at", TIME, nullable=False, server_default=NOW),
    UniqueConstraint("exchange", "symbol"),
    comment="Subscriptions that are wanted. Who listens is told by advisory locks.",
)

sockets = Table(
    "sockets",
    metadata,
    Column("process_id", Text, primary_key=True),
    Column("exchange", Text, primary_key=True),
    Column("url", Text, primary_key=True),
    Column(
        "number", SmallInteger, primary_key=True, autoincrement=False, comment="of several to one address"
    ),
    Column("state", Text, nullable=False),
    Column("symbols", ARRAY(Text), nullable=False),
    Column("last_frame_at", TIME),
    Column("detail", Text, nullable=False),
    Column("updated_at", TIME, nullable=False),
    comment="One row a process and connection, written about once a second.",
)
