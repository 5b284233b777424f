"""Parameters of kinds are chosen for an instrument, from an event time on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "parameters",
        sa.Column("parameters_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("instrument_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="from 1; 0 is the kind's own"),
        sa.Column("from_ts", _TIME, nullable=False, comment="event time from which on it counts"),
        sa.Column("numbers", postgresql.JSONB(), nullable=False, comment="all of them"),
        sa.Column("set_at", _TIME, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("parameters_id", name=op.f("parameters_pkey")),
        sa.UniqueConstraint(
            "instrument_id", "kind", "version", name=op.f("parameters_instrument_id_kind_version_key")
        ),
        comment="Append-only: of the versions that have begun at a time, the newest counts.",
    )
