"""What each kind measures is kept, once a minute."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "indicators",
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ts", postgresql.TIMESTAMP(timezone=True), nullable=False, comment="the end of a minute"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "measured",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="what a signal would give as evidence",
        ),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("from_ts", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("to_ts", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", "ts", "kind", "version", name=op.f("indicators_pkey")),
        comment="What each kind measured last before the end of a minute.",
    )
