"""What is published says how far it is proven, as known then."""

from typing import Any

import msgspec
import pytest

from db import gaps, proofs
from db.history import signals
from db.history.windows import Window
from market.coverage import Proof
from market.gaps import DEPTHS, TRADES, Cause, Finding, GapState
from market.texts import Name, signal_fields
from market.times import SECOND, from_iso
from runtime.clock import now
from tests.workers.market import BEGAN, Market, claim_all, new_claimer, tape

NAME = Name("binance", "BTC/USDT")
LOG = 'SELECT family, "offset", op, revises, data FROM publications ORDER BY family, "offset"'


async def told(market: Market) -> list[dict[str, Any]]:
    rows = await market.connection.fetch(LOG)
    return [dict(row) | {"data": msgspec.json.decode(row["data"])} for row in rows]


async def open_gap(market: Market, from_ts: int, to_ts: int, kind: str = TRADES) -> None:
    found = Finding(
        instrument_id=market.ids[0],
        kind=kind,
        cause=Cause.SEQUENCE,
        state=GapState.OPEN,
        from_ts=from_ts,
        to_ts=to_ts,
    )
    async with market.connection.transaction():
        await gaps.record(market.connection, [found])


async def test_a_publication_says_which_share_of_its_input_is_proven(market: Market) -> None:
    trades = tape(market.ids[0], 4000)
    last = trades[-1].ts
    await proofs.extend(market.connection, [Proof(market.ids[0], TRADES, BEGAN, last)])
    await open_gap(market, BEGAN + 10 * SECOND, BEGAN + 12 * SECOND)
    await open_gap(market, BEGAN + 20 * SECOND, BEGAN + 22 * SECOND, DEPTHS)
    async with market.writing() as writer, market.working() as connection:
        await writer.store(trades)
        await claim_all(new_claimer(), connection)
    log = await told(market)
    bars = {
        (from_iso(each["data"]["start"]) - BEGAN) // SECOND: each["data"]["coverage"]
        for each in log
        if each["family"] == "bars" and each["data"]["interval"] == "1s"
    }
    signals = [each["data"] for each in log if each["family"] == "signals"]
    touching = [each for each in signals if from_iso(each["from_ts"]) < BEGAN + 12 * SECOND]
    assert ({0.0}, {1.0}) == (
        {bars[10], bars[11]},
        {share for at, share in bars.items() if at not in (10, 11)},
    )
    assert signals
    assert all(each["coverage"] < 1 for each in touching)
    assert {1.0} == {each["coverage"] for each in signals if each not in touching}


async def test_what_nobody_proved_has_no_coverage(market: Market) -> None:
    async with market.writing() as writer, market.working() as connection:
        await writer.store(tape(market.ids[0], 400))
        await claim_all(new_claimer(), connection)
    assert {0.0} == {each["data"]["coverage"] for each in await told(market)}


@pytest.mark.slow
async def test_what_only_changed_its_coverage_is_not_corrected(market: Market) -> None:
    trades = tape(market.ids[0], 4000)
    running = [each.ts // SECOND == trades[-1].ts // SECOND for each in trades]
    late = trades.pop(running.index(True) - 1)
    async with market.writing() as writer, market.working() as connection:
        claimer = new_claimer()
        await writer.store(trades)
        await claim_all(claimer, connection)
        await proofs.extend(market.connection, [Proof(market.ids[0], TRADES, BEGAN, trades[-1].ts)])
        await writer.store([late])
        await claim_all(claimer, connection)
    log = await told(market)
    said = {(each["family"], each["offset"]): each["data"] for each in log}
    corrections = [each for each in log if each["op"] == "correction" and each["data"]]
    assert corrections
    for each in corrections:
        before = said[each["family"], each["revises"]]
        assert (0.0, 1.0) == (before.pop("coverage"), each["data"].pop("coverage"))
        assert before != each["data"]


async def test_a_stored_signal_says_how_long_each_leg_took(market: Market) -> None:
    trades = tape(market.ids[0], 4000)
    async with market.writing() as writer, market.working() as connection:
        await writer.store(trades)
        await claim_all(new_claimer(now), connection)
        found = await signals.read(connection, Window(limit=9), instrument_ids=market.ids[:1])
    published = [each["data"] for each in await told(market) if each["family"] == "signals"]
    for each, data in zip(found, published, strict=False):
        journey = each.journey
        assert journey is not None
        assert journey.stored_at is not None
        assert BEGAN < journey.ts == journey.received_at < journey.stored_at
        assert journey.stored_at <= journey.claimed_at <= each.committed_at
        assert data["latency_ms"] == journey.latency_ms(each.committed_at)
        assert ("test", True) == (each.code_version, bool(each.signal.parameters))
        assert data == signal_fields(NAME, each.signal, each.delivery(data["coverage"]))
