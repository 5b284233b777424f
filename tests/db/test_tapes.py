"""Parts of a tape: both bounds are places, whatever the kinds."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.connections import connected
from db.partitions import day_of, ensure_days
from db.tapes import Part, read_parts
from market.ticks import Kind, TapeKey
from market.times import SECOND

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
