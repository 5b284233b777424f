"""Every named statement is valid against the migrated schema."""

import pytest

from db import queries
from db.connections import connected

STATEMENTS = [(noun, name) for noun in queries.nouns() for name in vars(queries.load(noun))]


@pytest.mark.parametrize(("noun", "name"), STATEMENTS)
async def test_a_named_statement_can_be_prepared(postgres_url: str, noun: str, name: str) -> None:
    async with connected(postgres_url, "test") as connection:
        for stage in (s for s in STATEMENTS if noun == "ticks" and s[1].startswith("stage_")):
            await connection.execute(getattr(queries.load(stage[0]), stage[1]))
        prepared = await connection.prepare(getattr(queries.load(noun), name))
        assert prepared.get_statusmsg() is not None or prepared.get_query()


@pytest.mark.parametrize(("noun", "name"), STATEMENTS)
def test_a_named_statement_says_why(noun: str, name: str) -> None:
    assert getattr(queries.load(noun), name).startswith("-- ")
