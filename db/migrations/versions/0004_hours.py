"""Bars of an hour have a table of their own, and there are bars of five minutes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOVE = """
WITH moved AS (
    DELETE FROM bars WHERE interval_seconds = 3600
    RETURNING instrument_id, start, open, high, low, close,
              volume, quote_volume, buy_volume, sell_volume, trades, source
)
INSERT INTO bars_1h SELECT * FROM moved
"""

# Up to the end of the five minutes that run in what a worker remembers: it has seen only a part of them.
_BUILD = """
INSERT INTO dirty (instrument_id, interval_seconds, from_ts, to_ts, reason)
SELECT instrument_id, 300, date_bin('5 minutes', min(start), TIMESTAMPTZ '1970-01-01 00:00:00+00'),
       date_bin('5 minutes', max(start), TIMESTAMPTZ '1970-01-01 00:00:00+00') + interval '10 minutes',
       'upgraded'
FROM bars
GROUP BY instrument_id
"""


def upgrade() -> None:
    """Make the table, move the hours, and have the bars of five minutes built from what there is."""
    op.create_table(
        "bars_1h",
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("start", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("open", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("close", sa.Double(), nullable=False),
        sa.Column("volume", sa.Double(), nullable=False),
        sa.Column("quote_volume", sa.Double(), nullable=False),
        sa.Column("buy_volume", sa.Double(), nullable=False),
        sa.Column("sell_volume", sa.Double(), nullable=False),
        sa.Column("trades", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="live, or backfill when rebuilt"),
        sa.PrimaryKeyConstraint("instrument_id", "start", name=op.f("bars_1h_pkey")),
        comment="Final bars of an hour; days are read from them.",
    )
    op.create_table_comment(
        "bars", "Final bars only, shorter than an hour.", existing_comment="Final bars only."
    )
    op.execute(_MOVE)
    op.execute(_BUILD)
