"""Closed minutes are scored beside live, and what is found is told by who holds the shard."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest

from db import scorings
from db.instruments import Listed
from db.logins import WORKER, address_of
from market.signals import Direction, Signal
from market.ticks import Kind, TapeKey
from market.times import MINUTE, SECOND
from tests.workers.market import Market, Writer, claim_all
from tests.workers.models.days import START
from tests.workers.models.living import (
    LEARNT,
    MINUTES,
    PUBLISHED,
    UPSET,
    anomalies,
    applied,
    expected,
    learnt,
    lived,
    passed,
    published,
    scored,
    traded,
)
from workers import scores
from workers.backfill import BackfillWorker
from workers.claiming import Claimer
from workers.folding import DecidedSignal, Folder
from workers.kinds.catalogue import KINDS
from workers.models.reigning import Models
from workers.models.scoring import Scorer
from workers.settings import WorkerSettings

pytestmark = pytest.mark.slow


async def test_closed_minutes_are_scored_and_told_on_the_stream(
    market: Market, instrument: Listed, writer: Writer, claimer: Claimer
) -> None:
    await lived(market, writer, claimer, MINUTES[:LEARNT])
    model_id = await learnt(market, instrument)
    await lived(market, writer, claimer, MINUTES[LEARNT:])
    scorer = await scored(market)
    assert len(MINUTES) - LEARNT == scorer.totals.minutes
    assert [] == await anomalies(market)
    assert 1 == await applied(market, claimer)
    found = await anomalies(market)
    assert found == await expected(market, model_id)
    assert {START + (number + 1) * MINUTE for number in UPSET} <= {ts for ts, _, _ in found}
    log = await published(market)
    assert [(ts, "signal", None) for ts, _, _ in found] == [(e["ts"], e["op"], e["revises"]) for e in log]
    offsets = [row[0] for row in await market.connection.fetch(PUBLISHED)]
    assert list(range(1, len(offsets) + 1)) == offsets


async def test_what_other_code_scored_is_scored_again(
    market: Market, instrument: Listed, writer: Writer, claimer: Claimer
) -> None:
    await lived(market, writer, claimer, MINUTES[:LEARNT])
    model_id = await learnt(market, instrument)
    await lived(market, writer, claimer, MINUTES[LEARNT:])
    await scored(market)
    await market.connection.execute("UPDATE staged SET body = 'other'")
    async with market.working() as connection:
        dropped = await claimer.apply(connection, 1)
        assert dropped
        assert dropped.dropped
        assert None is await claimer.apply(connection, 1)
    await scored(market)
    await applied(market, claimer)
    found = await anomalies(market)
    assert found == await expected(market, model_id) != []


async def test_a_signal_says_which_trades_its_minute_began_and_ended_with(
    market: Market, instrument: Listed, writer: Writer, claimer: Claimer
) -> None:
    await lived(market, writer, claimer, MINUTES[:LEARNT])
    await learnt(market, instrument)
    await lived(market, writer, claimer, MINUTES[LEARNT : UPSET[0] + 1])
    await scored(market)
    await applied(market, claimer)
    trades = traded(instrument.instrument_id, MINUTES[UPSET[0]])
    row = await market.connection.fetchrow(
        "SELECT first_id, last_id, received_at, parameters::text FROM signals "
        "WHERE kind = 'anomaly' AND from_ts = $1",
        MINUTES[UPSET[0]].bar.start,
    )
    assert row is not None
    first, last = trades[0], trades[-1]
    assert (first.trade_id, last.trade_id, last.received_at) == tuple(row)[:3]
    assert {"enter", "leave", "window_minutes"} == set(msgspec.json.decode(row["parameters"]))


async def test_minutes_are_told_the_same_however_they_are_batched(
    market: Market, instrument: Listed, writer: Writer, claimer: Claimer
) -> None:
    await lived(market, writer, claimer, MINUTES[:LEARNT])
    await learnt(market, instrument)
    await lived(market, writer, claimer, MINUTES[LEARNT:])
    news = await scorings.news(market.connection, instrument.instrument_id, 0, 10_000)
    made = [await _merged(market, instrument, news, at_once) for at_once in (1, 2, 7, 50, len(news))]
    assert made[0]
    assert all(one == other for one, other in pairwise(made))


async def _merged(
    market: Market, instrument: Listed, news: Sequence[scorings.News], at_once: int
) -> list[bytes]:
    """The bytes of what is left when each batch replaces the stretch that it speaks of."""
    models = Models()
    left: dict[int, DecidedSignal] = {}
    for start in range(0, len(news), at_once):
        batch = news[start : start + at_once]
        from_ts, to_ts = batch[0].start + MINUTE, batch[-1].start + MINUTE + 1
        for each in await models.scored(market.connection, instrument.instrument_id, from_ts, to_ts):
            left = {ts: signal for ts, signal in left.items() if not each.from_ts <= ts < each.to_ts}
            left |= {decided.signal.ts: decided for decided in each.signals}
    return [msgspec.msgpack.encode(left[ts]) for ts in sorted(left)]


async def test_scoring_live_minute_by_minute_tells_what_scoring_at_once_tells(
    market: Market, instrument: Listed, writer: Writer, claimer: Claimer
) -> None:
    await lived(market, writer, claimer, MINUTES[:LEARNT])
    model_id = await learnt(market, instrument)
    scorer = Scorer(address_of(market.url, WORKER), WorkerSettings())
    for start in range(LEARNT, 230, 4):
        await lived(market, writer, claimer, MINUTES[start : start + 4])
        async with market.working() as connection:
            await scorer.score(connection)
        await applied(market, claimer)
    assert await anomalies(market) == await expected(market, model_id)
    assert {"signal"} == {entry["op"] for entry in await published(market)}


async def test_a_minute_that_is_repaired_is_scored_again_and_corrected(
    market: Market, instrument: Listed, writer: Writer, claimer: Claimer
) -> None:
    upset = traded(instrument.instrument_id, MINUTES[200])
    kept, late = upset[::20], [trade for number, trade in enumerate(upset) if number % 20]
    await lived(market, writer, claimer, MINUTES[:LEARNT])
    model_id = await learnt(market, instrument)
    await lived(market, writer, claimer, MINUTES[LEARNT:200])
    await writer.store(kept)
    await lived(market, writer, claimer, MINUTES[201:210])
    await scored(market)
    await applied(market, claimer)
    assert {"signal"} == {entry["op"] for entry in await published(market)}
    await writer.store(late)
    await passed(market, writer, claimer, MINUTES[210].bar.end)
    repairer = BackfillWorker(market.url, WorkerSettings(), Folder(KINDS), lambda: START, "test")
    async with market.working() as connection:
        while await repairer.repair(connection):
            pass
    await applied(market, claimer)
    await scored(market)
    await applied(market, claimer)
    after = await anomalies(market)
    assert {"signal", "correction"} == {entry["op"] for entry in await published(market)}
    assert after == await expected(market, model_id)
    told_now = {entry["ts"]: msgspec.json.decode(entry["data"]) for entry in await published(market)}
    assert [ts for ts, _, _ in after] == sorted(ts for ts, text in told_now.items() if text is not None)


async def test_nothing_is_staged_when_nothing_changes(
    market: Market, instrument: Listed, writer: Writer, claimer: Claimer
) -> None:
    await lived(market, writer, claimer, MINUTES[:LEARNT])
    await learnt(market, instrument)
    await lived(market, writer, claimer, MINUTES[LEARNT:])
    await scored(market)
    await applied(market, claimer)
    await market.connection.execute('UPDATE scorings SET "offset" = 0')
    again = await scored(market)
    assert (len(MINUTES), 0) == (again.totals.minutes, again.totals.staged)


async def test_what_is_staged_twice_is_told_once(
    market: Market, instrument: Listed, writer: Writer, claimer: Claimer
) -> None:
    await lived(market, writer, claimer, MINUTES[:LEARNT])
    await learnt(market, instrument)
    await lived(market, writer, claimer, MINUTES[LEARNT:])
    await scored(market)
    await market.connection.execute('UPDATE scorings SET "offset" = 0')
    again = (await scored(market)).totals.staged
    assert again
    assert 1 + again == await applied(market, claimer)
    log = await published(market)
    assert len(await anomalies(market)) == len(log)


async def test_a_minute_is_not_scored_before_live_has_left_it(
    market: Market, instrument: Listed, writer: Writer, claimer: Claimer
) -> None:
    await lived(market, writer, claimer, MINUTES[:LEARNT])
    await learnt(market, instrument)
    minute = MINUTES[LEARNT]
    await writer.store(traded(instrument.instrument_id, minute))
    await passed(market, writer, claimer, minute.bar.end + SECOND)
    assert 0 == (await scored(market)).totals.minutes
    await passed(market, writer, claimer, minute.bar.end + 2 * SECOND)
    assert 1 == (await scored(market)).totals.minutes


async def test_each_minute_is_told_by_the_model_that_was_in_force_when_it_ended(
    market: Market, instrument: Listed, writer: Writer, claimer: Claimer
) -> None:
    await lived(market, writer, claimer, MINUTES[:LEARNT])
    older = await learnt(market, instrument)
    await lived(market, writer, claimer, MINUTES[LEARNT:195])
    newer = await learnt(market, instrument)
    await lived(market, writer, claimer, MINUTES[195:])
    await scored(market)
    await applied(market, claimer)
    found = await anomalies(market)
    assert found == [*await expected(market, older, 1), *await expected(market, newer, 2)]
    edge = START + 195 * MINUTE
    assert {1, 2} == {version for _, version, _ in found}
    assert all((ts <= edge) == (version == 1) for ts, version, _ in found)


async def test_a_model_that_was_tampered_with_tells_nothing_and_stops_nobody(
    market: Market, instrument: Listed, writer: Writer, claimer: Claimer
) -> None:
    await lived(market, writer, claimer, MINUTES[:LEARNT])
    await learnt(market, instrument)
    await market.connection.execute(
        "UPDATE trained_models SET blob = set_byte(blob, 999, 1 # get_byte(blob, 999))"
    )
    await lived(market, writer, claimer, MINUTES[LEARNT:])
    scorer = await scored(market)
    assert (len(MINUTES) - LEARNT, 1) == (scorer.totals.minutes, scorer.totals.refused)
    assert 0 == await applied(market, claimer)
    assert [] == await anomalies(market)


async def test_one_of_two_scorers_scores_an_instrument(
    market: Market, instrument: Listed, writer: Writer, claimer: Claimer
) -> None:
    await lived(market, writer, claimer, MINUTES[:LEARNT])
    await learnt(market, instrument)
    await lived(market, writer, claimer, MINUTES[LEARNT:])
    async with market.working() as other, other.transaction():
        assert None is not await scorings.lock(other, instrument.instrument_id)
        assert 0 == (await scored(market)).totals.minutes
    assert len(MINUTES) - LEARNT == (await scored(market)).totals.minutes


async def test_live_never_waits_for_a_scorer_that_is_slow(
    market: Market, instrument: Listed, writer: Writer, claimer: Claimer
) -> None:
    await lived(market, writer, claimer, MINUTES[:LEARNT])
    await learnt(market, instrument)
    await lived(market, writer, claimer, MINUTES[LEARNT : UPSET[0] + 1])
    async with market.working() as connection, market.working() as scoring:
        await connection.execute("SET lock_timeout = '1ms'")
        async with scoring.transaction():
            scorer = Scorer(address_of(market.url, WORKER), WorkerSettings())
            assert await scorer.score(scoring)
            assert 1 == scorer.totals.staged
            part = [trade for minute in MINUTES[UPSET[0] + 1 :] for trade in traded(market.ids[0], minute)]
            await writer.store(part)
            assert await claim_all(claimer, connection)
            assert None is await claimer.apply(connection, 1)
        assert await claimer.apply(connection, 1)
    assert UPSET[0] in {(ts - START) // MINUTE - 1 for ts, _, _ in await anomalies(market)}


async def test_the_scorer_works_until_it_is_told_to_stop(
    market: Market, instrument: Listed, writer: Writer, claimer: Claimer
) -> None:
    await lived(market, writer, claimer, MINUTES[:LEARNT])
    await learnt(market, instrument)
    often, stopping = WorkerSettings(score_after_seconds=0.01), asyncio.Event()
    scorer = Scorer(address_of(market.url, WORKER), often)
    running = asyncio.create_task(scorer.run(stopping))
    await lived(market, writer, claimer, MINUTES[LEARNT : UPSET[0] + 1])
    async with asyncio.timeout(30):
        while not await market.connection.fetchval("SELECT EXISTS (SELECT FROM staged)"):
            await market.connection.execute("SELECT pg_sleep(0.01)")
    stopping.set()
    await running
    assert 1 == await applied(market, claimer)


def test_what_is_handed_over_comes_back_the_same() -> None:
    signal = Signal(
        kind="anomaly", version=1, ts=9, direction=Direction.UP, strength=0.5, confidence=0.9, price=1.0,
        evidence={"score": 0.7}, from_ts=1, to_ts=9,
    )  # fmt: skip
    made = scores.Scored(1, 5, 10, [DecidedSignal(signal, 8, TapeKey(7, Kind.TRADE, 6))])
    assert scores.encode(made) == scores.encode(scores.decode(scores.encode(made)))
