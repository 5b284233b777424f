"""``heliograph verify`` as its user types it."""

import json
import subprocess
from collections.abc import AsyncIterator

import pytest

from db.connections import connected
from db.instruments import register
from db.partitions import day_of, ensure_days
from market.instruments import spot
from tests.heliograph.test_cli import heliograph
from tests.workers.market import BEGAN, Market, claim_all, new_claimer, tape

pytestmark = pytest.mark.slow


@pytest.fixture
async def market(postgres_url: str) -> AsyncIterator[Market]:
    async with connected(postgres_url, "test") as connection:
        listed = await register(
            connection, [spot("binance", each, "USDT", f"{each}USDT") for each in ("BTC", "ETH")]
        )
        await ensure_days(connection, [day_of(BEGAN)])
        yield Market(postgres_url, connection, list(listed.values()))


def verify(market: Market, *arguments: str) -> subprocess.CompletedProcess[str]:
    return heliograph("verify", *arguments, HELIOGRAPH_DATABASE_URL=market.url)


async def fold(market: Market) -> None:
    async with market.writing() as writer, market.working() as connection:
        await writer.store([*tape(market.ids[0], 4000), *tape(market.ids[1], 4000)])
        await claim_all(new_claimer(), connection)


async def test_what_is_equal_is_said_to_be_with_status_zero(market: Market) -> None:
    await fold(market)
    done = verify(market, "--instrument", "binance:BTC/USDT", "--instrument", "binance:ETH/USDT")
    assert (0, "") == (done.returncode, done.stderr)
    btc, _, eth, _ = done.stdout.splitlines()
    assert btc.startswith("binance:BTC/USDT  2024-08-08T")
    assert eth.startswith("binance:ETH/USDT  2024-08-08T")
    assert ": equal; " in btc


async def test_each_difference_is_printed_with_what_is_stored_and_what_is_right(market: Market) -> None:
    await fold(market)
    await market.connection.execute(
        "UPDATE signals SET price = 1 "
        "WHERE ctid = (SELECT ctid FROM signals WHERE instrument_id = 1 ORDER BY ts, kind LIMIT 1)"
    )
    await market.connection.execute("DELETE FROM bars WHERE interval_seconds = 60 AND instrument_id = 1")
    done = verify(market)
    assert 1 == done.returncode, done.stderr
    different = [
        line for line in done.stdout.splitlines() if line.startswith("  ") and "not judged" not in line
    ]
    missing = [line for line in different if line.startswith("  bar 1m ")]
    assert missing
    assert all(' is missing; right is {"' in line and '"interval":60000000,' in line for line in missing)
    [changed] = [line for line in different if line not in missing]
    assert "price is stored as 1.0, right is " in changed
    told = json.loads(verify(market, "--json").stdout)
    assert len(different) == sum(len(each["differences"]) for each in told)
    assert [False] == [each["equal"] for each in told if each["instrument"] == "binance:BTC/USDT"]
    assert told[-1]["equal"] is True


async def test_mistakes_are_told_in_a_sentence(market: Market) -> None:
    unknown = verify(market, "--instrument", "binance:BTC/EUR")
    assert (1, "heliograph: nothing is stored of 'binance:BTC/EUR';") == (
        unknown.returncode,
        unknown.stderr[:51],
    )
    assert "is not a moment" in verify(market, "--from", "yesterday").stderr
