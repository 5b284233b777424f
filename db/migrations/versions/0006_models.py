"""Trained models, and how far they were applied."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; training is a kind of job."""
    op.alter_column("jobs", "kind", comment="heal, recent, or train", existing_comment="heal, or recent")
    _make_trained_models()
    op.create_table(
        "scorings",
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "offset",
            sa.BigInteger(),
            nullable=False,
            comment="of its bars' log: up to here all is scored",
        ),
        sa.PrimaryKeyConstraint("instrument_id", name=op.f("scorings_pkey")),
        comment="How far models were applied: a subscriber's place, moved with what it came to.",
    )


def _make_trained_models() -> None:
    op.create_table(
        "trained_models",
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("instrument_id", sa.Integer(), nullable=False),
        sa.Column(
            "version", sa.SmallInteger(), nullable=False, comment="what the signals of this model carry"
        ),
        sa.Column(
            "type", sa.Text(), nullable=False, comment="how the blob is read, of those that are allowed"
        ),
        sa.Column("state", sa.Text(), nullable=False, comment="candidate, in use, or retired"),
        _time("trained_from"),
        _time("trained_to"),
        sa.Column(
            "minutes",
            sa.Integer(),
            nullable=False,
            comment="bars in that range, those held out among them",
        ),
        sa.Column("features", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("metrics", postgresql.JSONB(), nullable=False, comment="out of sample"),
        sa.Column(
            "libraries", postgresql.JSONB(), nullable=False, comment="versions of what it was trained with"
        ),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False, comment="of the blob"),
        sa.Column("blob", sa.LargeBinary(), nullable=False, comment="plain numbers, never code"),
        sa.Column("verdict", sa.Text(), server_default="", nullable=False, comment="of the last check"),
        _time("from_ts", nullable=True, comment="it decides for minutes that end after this"),
        _time("to_ts", nullable=True, comment="and up to this"),
        sa.Column("job_id", sa.BigInteger(), nullable=True, comment="the job that trained it"),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("model_id", name=op.f("trained_models_pkey")),
        sa.UniqueConstraint(
            "instrument_id", "version", name=op.f("trained_models_instrument_id_version_key")
        ),
        comment="Models of one instrument each.",
    )
    op.create_index(
        "trained_models_in_use_key",
        "trained_models",
        ["instrument_id"],
        unique=True,
        postgresql_where=sa.text("state = 'in use'"),
    )


def _time(name: str, *, nullable: bool = False, comment: str | None = None) -> sa.Column[datetime]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=nullable, comment=comment)
