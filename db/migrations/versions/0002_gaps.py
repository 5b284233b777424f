"""Gaps, what is proven, and the jobs that heal."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "chunks",
        sa.Column("chunk_id", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("gap_id", sa.BigInteger(), nullable=True, comment="the gap that it heals"),
        sa.Column("instrument_id", sa.Integer(), nullable=False),
        sa.Column("from_ts", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("to_ts", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "cursor", sa.Text(), server_default="", nullable=False, comment="where the next page begins"
        ),
        sa.Column("state", sa.Text(), nullable=False, comment="waiting, done, or failed"),
        sa.Column(
            "attempts", sa.Integer(), server_default="0", nullable=False, comment="in a row without an answer"
        ),
        sa.Column(
            "rounds",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="whole answers that lacked trades",
        ),
        sa.Column(
            "due_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("leased_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("leased_by", sa.Text(), nullable=True),
        sa.Column("requests", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "stored", sa.BigInteger(), server_default="0", nullable=False, comment="rows that were new"
        ),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("chunk_id", name=op.f("chunks_pkey")),
        comment="The pieces of a job; the cursor of one is committed with its rows.",
    )
    op.create_index(
        "chunks_due_idx", "chunks", ["due_at"], unique=False, postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_index(op.f("chunks_job_id_idx"), "chunks", ["job_id"], unique=False)
    op.create_table(
        "gaps",
        sa.Column("gap_id", sa.BigInteger(), nullable=False),
        sa.Column("instrument_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="trades or depths"),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="open, healing, closed, or unrecoverable"),
        sa.Column("from_ts", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("to_ts", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("after_id", sa.BigInteger(), nullable=True, comment="the last trade before it"),
        sa.Column(
            "before_id", sa.BigInteger(), nullable=True, comment="the first trade after it, once there is one"
        ),
        sa.Column("job_id", sa.BigInteger(), nullable=True, comment="the job that heals it"),
        sa.Column(
            "opened_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("gap_id", name=op.f("gaps_pkey")),
        comment="Intervals in which a feed was not proven up.",
    )
    op.create_index(
        op.f("gaps_instrument_id_kind_to_ts_idx"), "gaps", ["instrument_id", "kind", "to_ts"], unique=False
    )
    op.create_index(
        "gaps_unsettled_idx",
        "gaps",
        ["instrument_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('open', 'healing')"),
    )
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="heal, or recent"),
        sa.Column("state", sa.Text(), nullable=False, comment="waiting, running, done, or failed"),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("jobs_pkey")),
        comment="What was asked of the backfill lane.",
    )
    op.create_table(
        "proofs",
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="trades or depths"),
        sa.Column("from_ts", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "to_ts",
            postgresql.TIMESTAMP(timezone=True),
            nullable=False,
            comment="moved forward with the ticks that prove it",
        ),
        sa.Column("source", sa.Text(), nullable=False, comment="live, or history"),
        sa.PrimaryKeyConstraint("instrument_id", "kind", "from_ts", name=op.f("proofs_pkey")),
        comment="Intervals in which a feed was proven up. Gaps that are not closed override them.",
    )
