"""Every named statement is valid against the migrated schema."""

import pytest

from db import queries
from db.connections import connected

NOUNS = queries.nouns()


@pytest.mark.parametrize("noun", NOUNS)
async def test_the_named_statements_of_a_noun_can_be_prepared(postgres_url: str, noun: str) -> None:
    statements = vars(queries.load(noun))
    assert statements
    async with connected(postgres_url, "test") as connection:
        for name in (name for name in statements if name.startswith("stage_")):
            await connection.execute(statements[name])
        for name, statement in statements.items():
            prepared = await connection.prepare(statement)
            assert statement == prepared.get_query(), name


@pytest.mark.parametrize("noun", NOUNS)
def test_a_named_statement_says_why(noun: str) -> None:
    assert [] == [name for name, text in vars(queries.load(noun)).items() if not text.startswith("-- ")]
