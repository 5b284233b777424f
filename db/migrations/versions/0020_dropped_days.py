"""Days of ticks that were dropped are on record, by instrument."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSTZMULTIRANGE

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "dropped_days",
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="trades, quotes, or depths"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("lacking", TSTZMULTIRANGE(), nullable=False, comment="what history has not brought again"),
        sa.PrimaryKeyConstraint("instrument_id", "kind", "day"),
        comment="Days that held ticks and were dropped: what was computed of them stands as it was told.",
    )
