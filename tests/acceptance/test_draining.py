"""SIGTERM drains: what was begun is finished, and the last counts are true."""

import pytest

from heliograph.roles import INGEST_HISTORY, ROLES, SCHEDULER, WORKER_BACKFILL, WORKER_LIVE, WORKER_SCORING
from tests.acceptance import evidence
from tests.acceptance.house import KINDS, OUTCOMES, House

pytestmark = pytest.mark.slow

ENDLESS = (
    "binance",
    "--generate",
    "--symbols",
    "BTC/USDT,ETH/USDT,SOL/USDT",
    "--rate",
    "60",
    "--speed",
    "max",
)


async def test_an_ingester_told_to_stop_in_mid_tape_commits_what_it_has_read(house: House) -> None:
    ingester = await house.ingest(await house.venue(*ENDLESS))

    async def flowing() -> bool:
        return min((await house.in_store()).values()) > 1000

    await house.until(flowing)
    assert [0] == await house.stop(ingester)
    tallies, in_store = await house.tallies(), await house.in_store()
    for kind in KINDS:
        tally = tallies[kind]
        assert tally["offered"] == sum(tally[outcome] for outcome in OUTCOMES)
        assert in_store[kind] == tally["stored"]
    assert [True] == [row.stopped_at is not None for row in await house.rows("ingest")]


async def test_a_live_worker_told_to_stop_finishes_its_claim_and_another_goes_on(house: House) -> None:
    ingester = await house.ingest(await house.venue(*ENDLESS))
    (worker,) = await house.start(WORKER_LIVE)
    await house.until(house.in_mid_claim)
    assert [0] == await house.stop(worker)
    (row,) = await house.rows("worker-live")
    published = await house.value("SELECT count(*) FROM publications")
    assert (worker.pid, published) == (row.pid, row.counters["publications"])
    await house.stop(ingester)
    await house.start(WORKER_LIVE)
    await house.folded()
    async with house.connected() as connection:
        await evidence.assert_as_undisturbed(connection)


async def test_every_role_told_to_stop_says_so_and_ends_with_0(house: House) -> None:
    await house.ingest(await house.venue(*ENDLESS))
    await house.api()
    await house.start(WORKER_LIVE, WORKER_BACKFILL, WORKER_SCORING, INGEST_HISTORY, SCHEDULER)
    await house.until(house.in_mid_claim)
    assert [0] * 8 == await house.stop(*reversed(house.running))
    rows = await house.rows()
    assert {role.name for role in ROLES} == {row.role for row in rows}
    assert [] == [row.role for row in rows if row.stopped_at is None]
