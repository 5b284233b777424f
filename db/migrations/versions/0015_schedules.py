"""Each run of what is scheduled is a row, and so is a pause."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TIME = postgresql.TIMESTAMP(timezone=True)
_NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "scheduled_runs",
        sa.Column("run_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="asked, running, done, failed, or interrupted"),
        sa.Column("asked_at", _TIME, server_default=_NOW, nullable=False),
        sa.Column("began_at", _TIME, nullable=True, comment="null: asked for, and not begun yet"),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column(
            "detail", sa.Text(), server_default="", nullable=False, comment="what came of it, or what failed"
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("scheduled_runs_pkey")),
        comment="Each run of a chore of the scheduler.",
    )
    op.create_index(op.f("scheduled_runs_name_run_id_idx"), "scheduled_runs", ["name", "run_id"])
    op.create_table(
        "paused_chores",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("paused_at", _TIME, server_default=_NOW, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("paused_chores_pkey")),
        comment="Chores that are not run until somebody resumes them, or asks for one run.",
    )
