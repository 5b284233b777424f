"""The first schema."""

import secrets

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

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
    _make_tables()
    op.execute("CREATE SEQUENCE writer_epochs")
    op.execute(_ENSURE_DAY)
    for busy in ("states", "batches"):
        # Rows live for milliseconds: by the default threshold the dead ones would pile up.
        op.execute(
            f"ALTER TABLE {busy} SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)"
        )
    _decide(context.config.attributes["shards"])


def _decide(shards: int) -> None:
    installation = sa.table("installation", sa.column("one"), sa.column("epoch"), sa.column("shards"))
    op.bulk_insert(installation, [{"one": 1, "epoch": secrets.token_hex(4), "shards": shards}])
    lock_rows = sa.table("shards", sa.column("shard"))
    op.bulk_insert(lock_rows, [{"shard": shard} for shard in range(shards)])


def _make_tables() -> None:
    op.create_table(
        "bars",
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("interval_seconds", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("start", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("open", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("close", sa.Double(), nullable=False),
        sa.Column("volume", sa.Double(), nullable=False),
        sa.Column("quote_volume", sa.Double(), nullable=False),
        sa.Column("buy_volume", sa.Double(), nullable=False),
        sa.Column("sell_volume", sa.Double(), nullable=False),
        sa.Column("trades", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="live, or backfill when rebuilt"),
        sa.PrimaryKeyConstraint("instrument_id", "interval_seconds", "start", name=op.f("bars_pkey")),
        comment="Final bars only.",
    )
    op.create_table(
        "batches",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("writer", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ticks", sa.Integer(), nullable=False),
        sa.Column("listing", sa.LargeBinary(), nullable=False, comment="market.batches, msgpack"),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("shard", "writer", "seq", name=op.f("batches_pkey")),
    )
    op.create_table(
        "checkpoints",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "folds",
            sa.LargeBinary(),
            nullable=False,
            comment="every fold of the shard as it was some seconds ago",
        ),
        sa.PrimaryKeyConstraint("shard", "version", name=op.f("checkpoints_pkey")),
        comment="Where a worker that takes over begins to fold again, silently.",
    )
    op.create_table(
        "dead_letters",
        sa.Column("dead_letter_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="frame, tick, or fold"),
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("instrument_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False, comment="whole, as it came"),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("dead_letter_id", name=op.f("dead_letters_pkey")),
    )
    op.create_table(
        "depths",
        sa.Column("exchange_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ts", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bid_prices", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("bid_sizes", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("ask_prices", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("ask_sizes", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("exchange_id", "instrument_id", "ts", "update_id", name=op.f("depths_pkey")),
        postgresql_partition_by="RANGE (ts)",
    )
    op.create_table(
        "dirty",
        sa.Column("dirty_id", sa.BigInteger(), nullable=False),
        sa.Column("instrument_id", sa.Integer(), nullable=False),
        sa.Column("interval_seconds", sa.Integer(), nullable=False, comment="of the bars that it covers"),
        sa.Column("from_ts", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("to_ts", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("dirty_id", name=op.f("dirty_pkey")),
        comment="Whole bars' intervals that must be computed again; half-open.",
    )
    op.create_index(op.f("dirty_to_ts_idx"), "dirty", ["to_ts"], unique=False)
    op.create_table(
        "exchanges",
        sa.Column("exchange_id", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("exchange_id", name=op.f("exchanges_pkey")),
        sa.UniqueConstraint("name", name=op.f("exchanges_name_key")),
    )
    op.create_table(
        "feeds",
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("symbols", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("last_frame_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("exchange", "url", name=op.f("feeds_pkey")),
        comment="One row a connection, written about once a second.",
    )
    op.create_table(
        "installation",
        sa.Column("one", sa.SmallInteger(), nullable=False),
        sa.Column(
            "epoch",
            sa.Text(),
            nullable=False,
            comment="names this log of publications; another after a restore",
        ),
        sa.Column(
            "shards", sa.SmallInteger(), nullable=False, comment="set at the first migration, for ever"
        ),
        sa.CheckConstraint("one = 1", name=op.f("installation_single_check")),
        sa.PrimaryKeyConstraint("one", name=op.f("installation_pkey")),
        comment="One row: what was decided once.",
    )
    op.create_table(
        "instruments",
        sa.Column("instrument_id", sa.Integer(), nullable=False),
        sa.Column("exchange_id", sa.SmallInteger(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("venue_symbol", sa.Text(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("contract_size", sa.Double(), nullable=False),
        sa.Column("size_unit", sa.Text(), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column(
            "listed_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("instrument_id", name=op.f("instruments_pkey")),
        sa.UniqueConstraint("exchange_id", "symbol", name=op.f("instruments_exchange_id_symbol_key")),
    )
    op.create_table(
        "processes",
        sa.Column("process_id", sa.Text(), nullable=False, comment="host:pid:start"),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("seen_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("stopped_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column(
            "counters",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="running totals of this process",
        ),
        sa.PrimaryKeyConstraint("process_id", name=op.f("processes_pkey")),
        comment="Heartbeats, about one a second; off the claim.",
    )
    op.create_table(
        "publications",
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("offset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column(
            "revises", sa.BigInteger(), nullable=True, comment="of a correction: the offset that it corrects"
        ),
        sa.Column("about", sa.Text(), nullable=False, comment="a signal's kind, a bar's interval"),
        sa.Column(
            "ts", postgresql.TIMESTAMP(timezone=True), nullable=False, comment="a signal's ts, a bar's start"
        ),
        sa.Column(
            "data",
            postgresql.JSON(astext_type=sa.Text()),
            nullable=False,
            comment="text as sent, not jsonb: subscribers get these bytes",
        ),
        sa.Column("committed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", "family", "offset", name=op.f("publications_pkey")),
        comment="The stream's append-only log.",
    )
    op.create_table(
        "quarantines",
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_ts", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("dead_letter_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", "kind", name=op.f("quarantines_pkey")),
        comment="Folds that failed, stopped for their instrument from one tick on.",
    )
    op.create_table(
        "quotes",
        sa.Column("exchange_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ts", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bid_price", sa.Double(), nullable=False),
        sa.Column("bid_size", sa.Double(), nullable=False, comment="NaN: the venue does not tell"),
        sa.Column("ask_price", sa.Double(), nullable=False),
        sa.Column("ask_size", sa.Double(), nullable=False, comment="NaN: the venue does not tell"),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("exchange_id", "instrument_id", "ts", "update_id", name=op.f("quotes_pkey")),
        postgresql_partition_by="RANGE (ts)",
    )
    op.create_table(
        "shards",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("shard", name=op.f("shards_pkey")),
        comment="Lock rows, never updated: who holds one orders the shard.",
    )
    op.create_table(
        "signals",
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("ts", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("strength", sa.Double(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("price", sa.Double(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("from_ts", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("to_ts", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "received_at",
            postgresql.TIMESTAMP(timezone=True),
            nullable=False,
            comment="of the tick that decided it",
        ),
        sa.Column("committed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", "kind", "version", "ts", name=op.f("signals_pkey")),
        comment="Current truth under a content key: computing again gives the same row.",
    )
    op.create_index(op.f("signals_instrument_id_ts_idx"), "signals", ["instrument_id", "ts"], unique=False)
    op.create_table(
        "states",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "head", sa.LargeBinary(), nullable=False, comment="done, cursors, next offsets: small, each claim"
        ),
        sa.PrimaryKeyConstraint("shard", "version", name=op.f("states_pkey")),
        comment="Appended, never updated: a double fold is a unique violation.",
    )
    op.create_table(
        "trades",
        sa.Column("exchange_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ts", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("trade_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("price", sa.Double(), nullable=False),
        sa.Column("size", sa.Double(), nullable=False),
        sa.Column(
            "side", sa.SmallInteger(), nullable=False, comment="1 the taker bought, -1 sold, 0 not told"
        ),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("exchange_id", "instrument_id", "ts", "trade_id", name=op.f("trades_pkey")),
        postgresql_partition_by="RANGE (ts)",
    )
    op.create_index(op.f("trades_exchange_id_ts_idx"), "trades", ["exchange_id", "ts"], unique=False)
    op.create_table(
        "watermarks",
        sa.Column("exchange_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ts", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("exchange_id", "instrument_id", "ts", name=op.f("watermarks_pkey")),
        comment="Venue time as it passed, at most one a second: part of the tape.",
    )
    op.create_table(
        "writers",
        sa.Column("writer", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("writer", name=op.f("writers_pkey")),
        comment="Slots of ingest writers that ever wrote: few, so that a claim looks beyond each one's done.",
    )
