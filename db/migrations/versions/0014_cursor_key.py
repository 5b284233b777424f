"""The key under which cursors are signed, so that each process of the API takes those of another."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_KEY_BYTES = 32


def upgrade() -> None:
    """Add the key, made by chance."""
    comment = "signs cursors; made once"
    op.add_column("installation", sa.Column("cursor_key", sa.LargeBinary(), nullable=True, comment=comment))
    installation = sa.table("installation", sa.column("cursor_key"))
    op.execute(sa.update(installation).values(cursor_key=sa.literal(secrets.token_bytes(_KEY_BYTES))))
    op.alter_column("installation", "cursor_key", nullable=False)
