"""What is listened to, and how."""

from sqlalchemy import Column, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from db.schema.words import TIME, metadata

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
