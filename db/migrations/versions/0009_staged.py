"""What is computed aside is handed over; what is dirty is a stretch of the tape; the log is found by time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, let go of the intervals of bars, and put the indexes that repairs look into."""
    _make_staged()
    op.drop_index(op.f("dirty_to_ts_idx"), "dirty")
    op.drop_column("dirty", "interval_seconds")
    op.create_index(op.f("dirty_instrument_id_to_ts_idx"), "dirty", ["instrument_id", "to_ts"])
    op.create_table_comment("dirty", "Stretches of a tape that must be computed again; half-open.")
    op.create_index(
        op.f("publications_instrument_id_family_ts_idx"), "publications", ["instrument_id", "family", "ts"]
    )


def _make_staged() -> None:
    time = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "staged",
        sa.Column("staged_id", sa.BigInteger(), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("instrument_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False, comment="repair, or score"),
        sa.Column(
            "version", sa.BigInteger(), nullable=False, comment="of the shard's state that it was made beside"
        ),
        sa.Column("from_ts", time, nullable=False, comment="what was asked for"),
        sa.Column("to_ts", time, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="what came of it, msgpack"),
        sa.Column("created_at", time, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("staged_id", name=op.f("staged_pkey")),
        comment="What was computed aside, for a live worker to tell.",
    )
