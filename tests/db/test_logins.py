"""Programs log in as roles that own nothing, and write nothing that is another's."""

import asyncpg
import pytest

from db import logins
from db.connections import connected
from db.logins import API, BACKFILL, INGEST, LOGINS, Login, address_of

TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
"""
RIGHTS = """
SELECT array_agg(right_ ORDER BY right_)
FROM unnest('{DELETE, INSERT, SELECT, TRUNCATE, UPDATE}'::text[]) AS right_
WHERE has_table_privilege($1, right_)
"""


@pytest.mark.parametrize("login", LOGINS, ids=[login.name for login in LOGINS])
async def test_a_program_writes_its_own_tables_and_reads_all(postgres_url: str, login: Login) -> None:
    async with connected(address_of(postgres_url, login), "test") as connection:
        tables = {row[0] for row in await connection.fetch(TABLES)}
        assert login.writes < tables
        for table in tables:
            wanted = ["DELETE", "INSERT", "SELECT", "UPDATE"] if table in login.writes else ["SELECT"]
            assert wanted == await connection.fetchval(RIGHTS, table), table


@pytest.mark.parametrize("login", LOGINS, ids=[login.name for login in LOGINS])
async def test_only_the_owner_changes_the_schema(postgres_url: str, login: Login) -> None:
    async with connected(address_of(postgres_url, login), "test") as connection:
        for change in ("CREATE TABLE mine ()", "DROP TABLE trades", "ALTER TABLE trades ADD COLUMN x int"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(change)


@pytest.mark.parametrize("login", [INGEST, BACKFILL], ids=["ingest", "backfill"])
async def test_who_stores_ticks_makes_their_days(postgres_url: str, login: Login) -> None:
    async with connected(address_of(postgres_url, login), "test") as connection:
        await connection.execute("SELECT heliograph_ensure_day('trades', '2024-08-09')")
        stored = await connection.execute(
            "INSERT INTO trades VALUES (1, 1, 1, '2024-08-09T12:00Z', 1, 1, 1, '2024-08-09T12:00Z')"
        )
    assert "INSERT 0 1" == stored


async def test_what_is_lacking_is_told_and_made_and_what_is_too_much_is_taken(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        assert [] == await logins.lacking(connection)
        await connection.execute("REVOKE UPDATE ON batches, states FROM heliograph_worker")
        await connection.execute("GRANT DELETE ON signals TO heliograph_api")
        assert ["heliograph_worker may not write batches, states"] == await logins.lacking(connection)
        assert await logins.may_make(connection)
        await logins.make(connection)
        assert [] == await logins.lacking(connection)
    async with connected(address_of(postgres_url, API), "test") as connection:
        assert ["SELECT"] == await connection.fetchval(RIGHTS, "signals")


async def test_a_role_that_is_missing_is_named(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection, connection.transaction():
        await connection.execute("ALTER ROLE heliograph_api RENAME TO heliograph_other")
        assert ["heliograph_api does not exist"] == await logins.lacking(connection)
        await connection.execute("ALTER ROLE heliograph_other RENAME TO heliograph_api")


async def test_who_may_not_make_roles_can_read_how(postgres_url: str) -> None:
    async with connected(address_of(postgres_url, API), "test") as connection:
        assert not await logins.may_make(connection)
        assert "ALTER ROLE heliograph_api WITH LOGIN CONNECTION LIMIT 24" in await logins.script(connection)


def test_an_address_keeps_all_but_its_user() -> None:
    url = "postgresql://owner:secret@db.example:6432/market?sslmode=require"
    assert "postgresql://heliograph_api@db.example:6432/market?sslmode=require" == address_of(url, API)
