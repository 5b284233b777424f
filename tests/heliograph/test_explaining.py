"""``heliograph explain`` as its user types it."""

import json
from typing import TYPE_CHECKING

import pytest

from db.connections import connected
from db.instruments import register
from db.partitions import day_of, ensure_days
from db.ticks import Ticks, TickWriter
from db.writers import enlist
from market.instruments import spot
from market.signal_ids import SignalId
from tests.heliograph.test_cli import heliograph
from tests.workers.market import BEGAN, claim_all, new_claimer, tape

if TYPE_CHECKING:
    from db.connections import Connection

pytestmark = pytest.mark.slow


@pytest.fixture
async def signal_id(postgres_url: str) -> str:
    """Store a tape, have it folded, and return the id of its first signal of rsi."""
    async with connected(postgres_url, "test") as connection:
        return await _told(connection)


async def _told(connection: "Connection") -> str:
    listed = await register(connection, [spot("kraken", "SOL", "USD", "SOL/USD")])
    [sol] = listed.values()
    await ensure_days(connection, [day_of(BEGAN)])
    writer = TickWriter(connection, await enlist(connection))
    await writer.write(Ticks(trades=tape(sol.instrument_id, 8000)), {sol.instrument_id: sol})
    await claim_all(new_claimer(), connection)
    row = await connection.fetchrow("SELECT version, ts FROM signals WHERE kind = 'rsi' ORDER BY ts LIMIT 1")
    assert row is not None
    return str(SignalId("kraken", "SOL/USD", "rsi", row["version"], row["ts"]))


def test_a_signal_is_explained_on_the_console(signal_id: str, postgres_url: str) -> None:
    told = heliograph("explain", signal_id, "--limit", "3", HELIOGRAPH_DATABASE_URL=postgres_url)
    lines = told.stdout.splitlines()
    assert (0, "") == (told.returncode, told.stderr)
    assert lines[0].startswith("kraken SOL/USD rsi ")
    assert "Computed again from the stored ticks, with these parameters: the same signal." in lines
    assert any(line.startswith("3 of ") and line.endswith(" steps:") for line in lines)
    assert any(line.startswith("  latency: venue to received 0.000 ms, ") for line in lines)


async def test_ticks_that_decide_otherwise_are_told_and_end_with_one(
    signal_id: str, postgres_url: str
) -> None:
    async with connected(postgres_url, "test") as connection:
        await connection.execute("UPDATE trades SET price = price * (1 + trade_id % 7)")
    told = heliograph("explain", signal_id, "--json", HELIOGRAPH_DATABASE_URL=postgres_url)
    assert (1, False) == (told.returncode, json.loads(told.stdout)["equal"])


def test_a_signal_that_is_not_stored_is_a_sentence(signal_id: str, postgres_url: str) -> None:
    other = signal_id.replace("rsi", "flow")
    told = heliograph("explain", other, HELIOGRAPH_DATABASE_URL=postgres_url)
    assert told.returncode == 1
    assert f"no signal {other} is stored" in told.stderr
