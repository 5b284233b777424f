"""The first schema."""

import secrets

import sqlalchemy as sa
from alembic import context, op

from db.schema import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ENSURE_DAY = """
CREATE FUNCTION heliograph_ensure_day(parent text, day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    child text := parent || '_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF parent NOT IN ('trades', 'quotes', 'depths') THEN
        RAISE EXCEPTION 'table % is not partitioned by day', parent;
    END IF;
    IF to_regclass(child) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(child, 0));
    -- Asked of the table, for to_regclass may answer from a cache older than the lock.
    IF EXISTS (SELECT FROM pg_class WHERE relname = child AND relnamespace = 'public'::regnamespace) THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', child, parent);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   parent, child, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
    RETURN true;
END
$$
"""


def upgrade() -> None:
    """Make every table, the writers' sequence, the partition function, and the lock rows."""
    metadata.create_all(op.get_bind())
    op.execute("CREATE SEQUENCE writer_epochs")
    op.execute(_ENSURE_DAY)
    shards = context.config.attributes["shards"]
    op.bulk_insert(
        metadata.tables["installation"], [{"one": 1, "epoch": secrets.token_hex(4), "shards": shards}]
    )
    op.bulk_insert(metadata.tables["shards"], [{"shard": shard} for shard in range(shards)])
    op.execute(
        sa.text(
            "ALTER TABLE states SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)"
        )
    )
    op.execute(
        sa.text(
            "ALTER TABLE batches SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)"
        )
    )
