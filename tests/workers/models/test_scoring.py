"""Closed minutes are scored beside live, and what is found is told by who holds the shard."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from db import minutes, scorings, trained_models
from db.instruments import Listed
from db.partitions import day_of, ensure_days
from db.trained_models import NewModel
from market.minutes import Minute
from market.signals import Direction, Signal
from market.ticks import Kind, TapeKey
from market.times import DAY, MINUTE, SECOND
from market.trades import Side, Trade
from market.watermarks import Watermark
from tests.workers.market import Market, Writer, claim_all, new_claimer
from tests.workers.models.days import START, generated
from workers import scores
from workers.backfill import BackfillWorker
from workers.claiming import Claimer
from workers.folding import DecidedSignal, Folder
from workers.kinds.catalogue import KINDS
from workers.models.anomaly import Era, told
from workers.models.fitting import fitted
from workers.models.promoting import loaded
from workers.models.reigning import Models
from workers.models.scoring import Scorer
from workers.settings import WorkerSettings

LEARNT = 150
"""Minutes of the past on which the model of these tests is trained."""

UPSET = (190, 200, 215)
MINUTES = generated(260, upset=UPSET, quoted=False)
PUBLISHED = """
SELECT "offset", op, revises, about, ts, data FROM publications WHERE family = 'signals' ORDER BY "offset"
"""
ANOMALIES = "SELECT ts, version, direction FROM signals WHERE kind = 'anomaly' ORDER BY ts"


def traded(instrument_id: int, minute: Minute) -> list[Trade]:
    """Trades that make this minute's bar, or nearly; an eighth as many."""
    bar = minute.bar
    count = max(bar.trades // 8, 4)
    prices = [bar.open, bar.high, bar.low, *[bar.close] * (count - 3)]
    buys = round(count * bar.buy_volume / bar.volume)
    first = (bar.start - START) // MINUTE * 10_000
    return [
        Trade(
            instrument_id,
            bar.start + number * (MINUTE // count),
            first + number,
            price,
            round(bar.volume / count, 6),
            Side.BUY if number < buys else Side.SELL,
            bar.start + number * (MINUTE // count) + 7,
        )
        for number, price in enumerate(prices)
    ]


@pytest.fixture
async def instrument(market: Market) -> Listed:
    await ensure_days(market.connection, [day_of(START), day_of(START + DAY)])
    return market.listed[0]


@pytest.fixture
async def writer(market: Market, instrument: Listed) -> AsyncIterator[Writer]:  # noqa: ARG001 - its days
    async with market.writing() as writer:
        yield writer


@pytest.fixture
def claimer() -> Claimer:
    return new_claimer()


async def lived(market: Market, writer: Writer, claimer: Claimer, part: Sequence[Minute]) -> None:
    """Store the trades of these minutes, and the time that passed after them, and have them folded."""
    instrument_id = market.ids[0]
    await writer.store([trade for minute in part for trade in traded(instrument_id, minute)])
    await passed(market, writer, claimer, part[-1].bar.end + 3 * SECOND)


async def passed(market: Market, writer: Writer, claimer: Claimer, ts: int) -> None:
    await writer.store(watermarks=[Watermark(market.ids[0], ts, ts)])
    async with market.working() as connection:
        await claim_all(claimer, connection)


async def learnt(market: Market, instrument: Listed) -> int:
    """Train on what is stored, and put the model to use."""
    past = await minutes.read(market.connection, instrument.instrument_id, START, START + DAY)
    made = fitted(past)
    model_id = await trained_models.add(
        market.connection,
        NewModel(
            instrument_id=instrument.instrument_id,
            type=made.type,
            trained_from=START,
            trained_to=past[-1].bar.end,
            minutes=len(past),
            features=made.features,
            metrics=made.metrics,
            libraries=dict(made.libraries),
            code_version="test",
            sha256=made.sha256,
            blob=made.blob,
            job_id=None,
        ),
    )
    async with market.connection.transaction():
        await trained_models.put_in_use(
            market.connection, await trained_models.model(market.connection, model_id)
        )
    return model_id


async def scored(market: Market, at_once: int = 256) -> Scorer:
    scorer = Scorer(market.url, WorkerSettings(), at_once)
    async with market.working() as connection:
        while await scorer.score(connection):
            pass
    return scorer


async def applied(market: Market, claimer: Claimer) -> int:
    """Have a live worker apply everything that is staged; return how much that was."""
    count = 0
    async with market.working() as connection:
        while await claimer.apply(connection, 1):
            count += 1
    return count


async def anomalies(market: Market) -> list[tuple[int, int, str]]:
    return [tuple(row) for row in await market.connection.fetch(ANOMALIES)]


async def published(market: Market) -> list[dict[str, Any]]:
    rows = await market.connection.fetch(PUBLISHED)
    return [dict(row) for row in rows if row["about"] == "anomaly"]


async def expected(market: Market, model_id: int, version: int = 1) -> list[tuple[int, int, str]]:
    """What the model tells of all that is stored, in one go."""
    model = await loaded(market.connection, model_id)
    row = await trained_models.model(market.connection, model_id)
    assert row.from_ts is not None
    everything = await minutes.read(market.connection, market.ids[0], START, START + DAY)
    return [
        (signal.ts, signal.version, signal.direction.value)
        for signal in told(Era(version, row.from_ts, row.to_ts, model), everything)
    ]


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
    scorer = Scorer(market.url, WorkerSettings())
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
            scorer = Scorer(market.url, WorkerSettings())
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
    scorer, stopping = Scorer(market.url, WorkerSettings(score_after_seconds=0.01)), asyncio.Event()
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
