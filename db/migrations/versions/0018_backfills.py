"""Jobs are asked for by operators: how far they are, and which come first."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Add the columns; what is healed comes before what is backfilled."""
    asked = "of a backfill: what was asked for, whatever was there already"
    op.add_column("jobs", sa.Column("from_ts", _TIME, comment=asked))
    op.add_column("jobs", sa.Column("to_ts", _TIME))
    for name, kind, comment in (
        ("priority", sa.SmallInteger(), "the lowest first"),
        ("rows", sa.BigInteger(), "about so many there are"),
        ("fetched", sa.BigInteger(), "rows that came, new or not"),
    ):
        op.add_column("chunks", sa.Column(name, kind, nullable=False, server_default="0", comment=comment))
    op.drop_index("chunks_due_idx", "chunks")
    op.create_index(
        "chunks_due_idx", "chunks", ["priority", "due_at"], postgresql_where=sa.text("state = 'waiting'")
    )
    for table, column, told in (
        ("jobs", "kind", "heal, recent, backfill, import, recompute, or train"),
        ("jobs", "state", "waiting, running, paused, done, cancelled, or failed"),
        ("chunks", "state", "waiting, done, cancelled, or failed"),
    ):
        op.alter_column(table, column, existing_type=sa.Text(), existing_nullable=False, comment=told)
