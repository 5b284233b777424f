"""What is proven live and by history has a row each, also where both begin in one instant."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the source a part of the key: who proves live waits for no transaction of history."""
    op.drop_constraint("proofs_pkey", "proofs", type_="primary")
    op.create_primary_key("proofs_pkey", "proofs", ["instrument_id", "kind", "from_ts", "source"])
