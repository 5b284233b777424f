"""History on a terminal."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from functools import partial

import pytest

from api.settings import ApiSettings
from bus import publishing
from db.connections import connected
from heliograph.querying import Asked, Noun, query
from market.errors import InvalidInputError, StackError
from tests.api.peers import FAR_AWAY, Served, Worker, serving

T = 1_733_270_400_000_000
SOL = ("kraken", "SOL/USD")


@pytest.fixture
async def served(postgres_url: str, redis_url: str) -> AsyncIterator[Served]:
    """An API of two bars."""
    async with (
        connected(postgres_url, "test") as connection,
        publishing.opened(redis_url) as bus,
        serving(ApiSettings(port=0), postgres_url, redis_url) as served,
    ):
        [sol] = await Worker(connection, bus).instruments("SOL/USD")
        await connection.executemany(
            "INSERT INTO bars VALUES ($1, 60, $2, 1, 2, 0.5, 61837.63, 10, 15, 6, 4, 3, 'live')",
            [(sol.instrument_id, T), (sol.instrument_id, T + 60_000_000)],
        )
        yield served


def asked(noun: Noun = Noun.BARS, whose: Sequence[str | None] = SOL, last: str | None = None) -> Asked:
    return Asked(noun, whose[0], whose[1], "1m", [], None, None, last, newest_first=False, limit=None)


async def printed(
    capsys: pytest.CaptureFixture[str], served: Served, question: Asked, *, as_json: bool = False
) -> list[str]:
    await asyncio.to_thread(partial(query, question, served.url, None, as_json=as_json))
    return capsys.readouterr().out.splitlines()


async def test_bars_are_a_table_for_people(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    lines = await printed(capsys, served, asked())
    assert ["start", "open", "high", "low", "close", "volume", "trades", "coverage"] == lines[0].split()
    assert ["2024-12-04", "00:00:00.000", "1", "2", "0.5", "61837.63", "10", "3", "0"] == lines[1].split()
    assert 3 == len(lines)


async def test_with_json_every_row_is_a_line_as_it_came(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = await printed(capsys, served, asked(), as_json=True)
    answer = await served.get("/v1/bars", exchange="kraken", symbol="SOL/USD")
    assert answer["data"] == [json.loads(line) for line in lines]


@pytest.mark.parametrize("noun", Noun)
async def test_every_noun_has_a_heading(
    served: Served, capsys: pytest.CaptureFixture[str], noun: Noun
) -> None:
    lines = await printed(capsys, served, asked(noun, last="1d"))
    assert "symbol" in lines[0] or "start" in lines[0]


async def test_what_cannot_be_asked_or_answered_is_said_in_a_sentence(served: Served) -> None:
    with pytest.raises(InvalidInputError, match="bars of what"):
        query(asked(whose=(None, None)), served.url, None, as_json=False)
    with pytest.raises(StackError, match="is no length of time"):
        query(asked(last="yesterday"), served.url, None, as_json=False)
    nobody = FAR_AWAY.replace("redis", "http")
    with pytest.raises(StackError, match="run `heliograph up`"):
        query(asked(), nobody, None, as_json=False)
