"""Days that a command drops, and logs that are named anew by a restore, are written down with who did it."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the triggers, as the other tables have them."""
    for table in ("dropped_days", "installation"):
        op.execute(
            f"CREATE TRIGGER heliograph_audit AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW"
            " WHEN (coalesce(current_setting('heliograph.actor', true), '') <> '')"
            " EXECUTE FUNCTION heliograph_audit()"
        )
