"""Every signal says what it was made of, with which numbers, by which code, and how long that took."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Add what a signal says of where it comes from; older ones do not know it."""
    for column in _COLUMNS:
        op.add_column("signals", column)


_COLUMNS: tuple[sa.Column[object], ...] = (
    sa.Column(
        "parameters_version",
        sa.Integer(),
        server_default=sa.text("0"),
        nullable=False,
        comment="0: the kind's own",
    ),
    sa.Column("parameters", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
    sa.Column("code_version", sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column("first_ts", _TIME, comment="of the first tick of its input"),
    sa.Column("first_id", sa.BigInteger()),
    sa.Column("last_ts", _TIME, comment="of the last tick of its input"),
    sa.Column("last_id", sa.BigInteger()),
    sa.Column(
        "warm",
        sa.Boolean(),
        server_default=sa.text("false"),
        nullable=False,
        comment="all its memory was seen",
    ),
    sa.Column("decided_ts", _TIME, comment="the venue's time of the tick that decided it"),
    sa.Column("stored_at", _TIME, comment="when that tick was committed"),
    sa.Column("claimed_at", _TIME, comment="when a worker had claimed it; null: computed again, later"),
)
