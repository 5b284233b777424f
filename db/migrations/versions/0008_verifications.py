"""What scheduled verifications found."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "verifications",
        sa.Column("verification_id", sa.BigInteger(), nullable=False),
        sa.Column("instrument_id", sa.Integer(), nullable=False),
        sa.Column("from_ts", _TIME, nullable=False),
        sa.Column("to_ts", _TIME, nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("finished_at", _TIME, nullable=False),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("bars", sa.Integer(), nullable=False, comment="compared"),
        sa.Column("signals", sa.Integer(), nullable=False, comment="compared"),
        sa.Column("differences", sa.Integer(), nullable=False),
        sa.Column("found", postgresql.JSON(), nullable=False, comment="the first of the differences"),
        sa.Column("unverified", postgresql.JSON(), nullable=False, comment="what could not be judged"),
        sa.PrimaryKeyConstraint("verification_id", name=op.f("verifications_pkey")),
        comment="One row an instrument and scheduled run.",
    )
    op.create_index(op.f("verifications_from_ts_idx"), "verifications", ["from_ts"])
