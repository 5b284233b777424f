"""Signals and indicators say which ticks they come from: a kind that is plugged in may take either."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what stands of the one kind on books came from depths."""
    for table in ("signals", "indicators"):
        column = sa.Column(
            "source", sa.Text(), server_default=sa.text("'trades'"), nullable=False, comment="or depths"
        )
        op.add_column(table, column)
    op.execute("UPDATE signals SET source = 'depths' WHERE kind = 'pressure'")
    op.execute("UPDATE indicators SET source = 'depths' WHERE kind = 'pressure'")
