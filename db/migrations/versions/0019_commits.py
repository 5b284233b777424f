"""Each transaction of ingest leaves a row, by which a commit whose answer was lost is known again."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "commits",
        sa.Column("writer", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("writer", "seq"),
        comment="The newest transactions of each slot: a commit without an answer is looked up.",
    )
