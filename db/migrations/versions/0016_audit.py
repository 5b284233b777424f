"""What people change is written down, in the same transaction, whatever road it came by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_AUDITED = (
    "dead_letters",
    "feeds",
    "jobs",
    "parameters",
    "paused_chores",
    "quarantines",
    "scheduled_runs",
    "trained_models",
)

_AUDIT = """
CREATE FUNCTION heliograph_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    large CONSTANT text[] := '{payload,blob}';
    was CONSTANT jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - large END;
    becomes CONSTANT jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - large END;
BEGIN
    IF was IS DISTINCT FROM becomes THEN
        INSERT INTO audit_log (actor, noun, change, before, after)
        VALUES (current_setting('heliograph.actor'), TG_TABLE_NAME, lower(TG_OP), was, becomes);
    END IF;
    RETURN NULL;
END
$$
"""

_KEEP = """
CREATE FUNCTION heliograph_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_log is append-only';
END
$$
"""


def upgrade() -> None:
    """Make the log, and the triggers that write it for who has said who they are."""
    op.create_table(
        "audit_log",
        sa.Column("audit_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("actor", sa.Text(), nullable=False, comment="who, and by which road: command line or API"),
        sa.Column("noun", sa.Text(), nullable=False, comment="the table"),
        sa.Column("change", sa.Text(), nullable=False, comment="insert, update, or delete"),
        sa.Column("before", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("after", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("audit_log_pkey")),
        comment="Append-only: what somebody changed, written by triggers in the change's transaction.",
    )
    op.execute(_AUDIT)
    op.execute(_KEEP)
    op.execute(
        "CREATE TRIGGER heliograph_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log"
        " FOR EACH STATEMENT EXECUTE FUNCTION heliograph_keep()"
    )
    for table in _AUDITED:
        op.execute(
            f"CREATE TRIGGER heliograph_audit AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW"
            " WHEN (coalesce(current_setting('heliograph.actor', true), '') <> '')"
            " EXECUTE FUNCTION heliograph_audit()"
        )
