"""What PostgreSQL runs short of."""

from db import strain
from db.connections import connected


async def test_connections_to_other_databases_and_of_other_users_take_room_too(
    postgres_template: str, postgres_url: str
) -> None:
    async with connected(postgres_url, "test") as connection, connected(postgres_template, "other"):
        alone = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        )
        owner = await connection.fetchval("SELECT current_user")
        await connection.execute("CREATE ROLE reader_of_strain")
        try:
            await connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader_of_strain")
            for user in (owner, "reader_of_strain"):
                await connection.execute(f'SET ROLE "{user}"')
                assert (await strain.read(connection)).server.connections > alone
        finally:
            await connection.execute("RESET ROLE")
            await connection.execute("DROP OWNED BY reader_of_strain")
            await connection.execute("DROP ROLE reader_of_strain")
