"""Parts of a tape: both bounds are places, whatever the kinds."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.connections import connected
from db.partitions import HOT, day_of, ensure_days
from db.queries import load
from db.tapes import Part, read_parts
from market.ticks import Kind, TapeKey
from market.times import DAY, SECOND

BEGAN = 1_723_161_255 * SECOND
PLACES = st.builds(
    TapeKey, st.integers(BEGAN, BEGAN + 3), st.sampled_from(list(Kind)).map(int), st.integers(0, 2)
)

FILL = """
INSERT INTO {table}
SELECT 1, {place}, to_timestamp(0) + ($1::bigint + ts) * interval '1 microsecond', id, {values}, now()
FROM generate_series(0, 3) AS ts, generate_series(0, 2) AS id
"""
VALUES = {
    "trades": ("1, 7", "1, 1"),
    "quotes": ("7", "1, 1, 1, 1"),
    "depths": ("7", "'{1}', '{1}', '{1}', '{1}'"),
}


@pytest.fixture
async def filled(postgres_url: str) -> str:
    async with connected(postgres_url, "test") as connection:
        await ensure_days(connection, [day_of(BEGAN)])
        for table, (place, values) in VALUES.items():
            await connection.execute(FILL.format(table=table, place=place, values=values), BEGAN)
        await connection.execute(
            "INSERT INTO watermarks"
            " SELECT 1, 7, to_timestamp(0) + ($1::bigint + ts) * interval '1 microsecond', now()"
            " FROM generate_series(0, 3) AS ts",
            BEGAN,
        )
    return postgres_url


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(after=PLACES, to=PLACES, kinds=st.sets(st.sampled_from(list(Kind)), min_size=1))
async def test_a_part_holds_exactly_what_lies_between_its_bounds(
    filled: str, after: TapeKey, to: TapeKey, kinds: set[Kind]
) -> None:
    every = [TapeKey(BEGAN + ts, kind, id_) for ts in range(4) for kind in Kind for id_ in range(3)]
    every = [key for key in every if key.kind != Kind.WATERMARK or key.id == 0]
    async with connected(filled, "test") as connection:
        ticks = await read_parts(connection, [Part(1, 7, after, to, frozenset(kinds))])
    expected = [key for key in sorted(every) if after < key <= to and key.kind in kinds]
    assert expected == [tick.tape_key for tick in ticks[7]]


@pytest.mark.parametrize(
    ("noun", "statement", "part"),
    [
        *[("tapes", each, "'{1}', '{7}', ARRAY[now()], '{0}', ARRAY[now()], '{0}'") for each in HOT],
        ("near", "known", "'{1}', '{7}', ARRAY[now()], '{0}', '{0}'"),
    ],
)
async def test_days_that_no_part_reaches_are_not_in_the_plan(
    filled: str, noun: str, statement: str, part: str
) -> None:
    """A plan that is made once for all questions, as PostgreSQL does in time."""
    days = [day_of(BEGAN + day * DAY) for day in range(-20, 21)]
    bounds = f"to_timestamp({BEGAN // SECOND}), to_timestamp({BEGAN // SECOND + 1})"
    async with connected(filled, "test") as connection:
        await ensure_days(connection, days)
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE asked AS {getattr(load(noun), statement)}")
        plan = await connection.fetch(f"EXPLAIN EXECUTE asked ({part}, {bounds})")
    [day] = re.findall(r"Scan using \w+ on \w+_(\d{8})", "\n".join(row[0] for row in plan))
    assert f"{days[20]:%Y%m%d}" == day
