"""Subscriptions are rows; how connections do is told by each process."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put the tables in place of the one that told how connections do, which is written anew each second."""
    op.drop_table("feeds")
    _make_feeds()
    _make_sockets()


def _make_feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("feed_id", sa.Integer(), nullable=False, comment="also the key of its advisory locks"),
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column(
            "protocol",
            sa.Text(),
            nullable=True,
            comment="the version of the venue's protocol; null: the newest",
        ),
        sa.Column(
            "stream_url",
            sa.Text(),
            nullable=True,
            comment="scheme, host, and port in place of the venue's own socket",
        ),
        sa.Column("rest_url", sa.Text(), nullable=True, comment="the same for REST"),
        sa.Column("state", sa.Text(), nullable=False, comment="active, paused, or closed"),
        sa.Column("reason", sa.Text(), server_default="", nullable=False, comment="why it is closed"),
        _time("added_at"),
        _time("changed_at"),
        sa.PrimaryKeyConstraint("feed_id", name=op.f("feeds_pkey")),
        sa.UniqueConstraint("exchange", "symbol", name=op.f("feeds_exchange_symbol_key")),
        comment="Subscriptions that are wanted. Who listens is told by advisory locks.",
    )


def _make_sockets() -> None:
    op.create_table(
        "sockets",
        sa.Column("process_id", sa.Text(), nullable=False),
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column(
            "number",
            sa.SmallInteger(),
            autoincrement=False,
            nullable=False,
            comment="of several to one address",
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("symbols", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("last_frame_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("process_id", "exchange", "url", "number", name=op.f("sockets_pkey")),
        comment="One row a process and connection, written about once a second.",
    )


def _time(name: str) -> sa.Column[datetime]:
    now = sa.text("clock_timestamp()")
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), server_default=now, nullable=False)
