"""Small tables that every claim joins are analyzed as soon as they change.

Autovacuum waits for fifty changes, and the server takes a table that nobody looked at for thousands of rows.
With such a guess a claim's statements seem so dear that they are planned anew at each claim.
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Have autovacuum look after any change, and look once now."""
    for small in ("exchanges", "instruments", "shards", "writers"):
        op.execute(
            f"ALTER TABLE {small} SET (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 0)"
        )
        op.execute(f"ANALYZE {small}")
