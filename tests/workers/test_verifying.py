"""What is not what the tape says is found; what cannot be judged is said to be so, and not called wrong."""

import asyncio
import random
from collections.abc import Sequence
from operator import attrgetter
from threading import Thread

import msgspec
import pytest
from msgspec.structs import replace

from db import dirty, verifications
from db.dirty import DirtyInterval
from db.history.verifications import read
from db.outcomes import FailedFold, bury_fold
from db.partitions import day_of, ensure_days
from db.settings import RetentionSettings
from market.depths import Depth
from market.times import DAY, HOUR, MINUTE, SECOND, floor
from market.trades import Trade
from market.verifications import (
    OTHER_VERSION,
    QUARANTINED,
    UNKNOWN_KIND,
    UNREPAIRED,
    UNSETTLED,
    Verification,
)
from runtime.clock import Clock, now
from tests.conftest import execute
from tests.workers.market import BEGAN, Market, claim_all, new_claimer, tape
from workers.folding import Folder
from workers.housekeeping import Housekeeping
from workers.kinds.catalogue import KINDS
from workers.nightly import Nightly
from workers.retaining import retain
from workers.settings import WorkerSettings
from workers.verifying import Verifier

pytestmark = pytest.mark.slow

FIRST_HOUR = floor(BEGAN, HOUR)
LATER = FIRST_HOUR + 9 * HOUR


def depths(instrument_id: int, trades: Sequence[Trade]) -> list[Depth]:
    """A book that leans to one side for a while, then to the other."""
    chance = random.Random(instrument_id)
    made = []
    for number, at in enumerate(trades[::4]):
        bids, asks = (8.0, 1.0) if number // 200 % 2 else (1.0, 8.0)
        sizes = chance.uniform(bids / 2, bids), chance.uniform(asks / 2, asks)
        prices = tuple(at.price - place for place in range(5)), tuple(at.price + place for place in range(5))
        made.append(
            Depth(instrument_id, at.ts, number, prices[0], (sizes[0],) * 5, prices[1], (sizes[1],) * 5, at.ts)
        )
    return made


async def live(market: Market, trades: Sequence[Trade], size: int = 400) -> None:
    """Store and fold commit by commit, as live does."""
    books = depths(market.ids[0], trades)
    claimer = new_claimer()
    async with market.writing() as writer, market.working() as connection:
        for start in range(0, len(trades), size):
            part = trades[start : start + size]
            own = [book for book in books if part[0].ts <= book.ts <= part[-1].ts]
            books = [book for book in books if book.ts > part[-1].ts]
            await writer.store(part, depths=own)
            await claim_all(claimer, connection)


def long_tape(market: Market, trades: int = 4500) -> list[Trade]:
    """Trades of some twenty minutes, across the end of an hour."""
    return tape(market.ids[0], trades, spacing=SECOND // 5)


async def verified(
    market: Market, from_ts: int = FIRST_HOUR, to_ts: int = LATER, folder: Folder | None = None
) -> Verification:
    async with market.working() as connection:
        verifier = Verifier(connection, folder or Folder(KINDS))
        return await verifier.verify(market.listed[0], from_ts, to_ts)


async def one(market: Market, query: str) -> dict[str, object]:
    row = await market.connection.fetchrow(query)
    assert row
    return dict(row)


SOME_BAR = "SELECT * FROM bars WHERE interval_seconds = 60 ORDER BY start OFFSET 2 LIMIT 1"
SOME_SIGNAL = "SELECT *, evidence::text FROM signals ORDER BY ts OFFSET 3 LIMIT 1"

SOME_INDICATOR = "SELECT ts FROM indicators WHERE kind = 'rsi' ORDER BY ts OFFSET 1 LIMIT 1"


async def test_what_live_folded_is_what_its_tape_says(market: Market) -> None:
    await live(market, long_tape(market))
    found = await verified(market)
    assert ((), FIRST_HOUR, LATER) == (found.differences, found.from_ts, found.to_ts)
    told = await one(
        market, "SELECT (SELECT count(*) FROM bars) AS bars, (SELECT count(*) FROM signals) AS signals"
    )
    [unsettled] = found.unverified
    assert (UNSETTLED, LATER) == (unsettled.reason, unsettled.to_ts)
    assert told["signals"] == found.signals + await market.connection.fetchval(
        "SELECT count(*) FROM signals WHERE ts >= $1", unsettled.from_ts
    )
    assert found.signals > 5
    assert found.indicators > 10
    assert {"pressure", "rsi"} <= {
        row[0] for row in await market.connection.fetch("SELECT kind FROM signals")
    }
    assert isinstance(told["bars"], int)
    assert told["bars"] - 5 < found.bars <= told["bars"] + 1


@pytest.mark.slow
async def test_any_part_can_be_verified_alone(market: Market) -> None:
    trades = long_tape(market)
    await live(market, trades)
    chance = random.Random(2)
    for _ in range(8):
        from_ts = chance.randrange(BEGAN - MINUTE, trades[-1].ts)
        found = await verified(market, from_ts, from_ts + chance.randrange(1, 8 * MINUTE))
        assert () == found.differences


@pytest.mark.parametrize(
    ("change", "noun", "field"),
    [
        (
            "UPDATE bars SET volume = volume + 1e-9 WHERE (interval_seconds, start) = (60, $1)",
            "bar",
            "volume",
        ),
        ("UPDATE signals SET strength = strength / 2 WHERE ts = $1", "signal", "strength"),
        ("UPDATE signals SET warm = NOT warm WHERE ts = $1", "signal", "warm"),
        ("UPDATE signals SET last_id = last_id + 1 WHERE ts = $1", "signal", "last"),
        (
            "UPDATE indicators SET measured = '{}' WHERE kind = 'rsi' AND ts = $1",
            "indicator",
            "values",
        ),
        (
            "UPDATE signals SET parameters = jsonb_build_object('length', 1) WHERE ts = $1",
            "signal",
            "parameters",
        ),
    ],
)
async def test_a_row_that_was_changed_is_found(market: Market, change: str, noun: str, field: str) -> None:
    await live(market, long_tape(market))
    row = await one(market, {"bar": SOME_BAR, "signal": SOME_SIGNAL, "indicator": SOME_INDICATOR}[noun])
    ts = row["start"] if noun == "bar" else row["ts"]
    await market.connection.execute(change, ts)
    [found] = (await verified(market)).differences
    assert (noun, ts) == (found.noun, found.ts)
    assert found.stored
    assert found.right
    assert [field] == [name for name in found.right if found.right[name] != found.stored[name]]


async def test_one_number_of_evidence_that_was_changed_is_found(market: Market) -> None:
    await live(market, long_tape(market))
    row = await one(market, SOME_SIGNAL)
    evidence = msgspec.json.decode(str(row["evidence"]), type=dict[str, float])
    name = min(evidence)
    evidence[name] *= 1 + 1e-15
    await market.connection.execute(
        "UPDATE signals SET evidence = $1 WHERE ts = $2 AND kind = $3",
        msgspec.json.encode(evidence).decode(),
        row["ts"],
        row["kind"],
    )
    [found] = (await verified(market)).differences
    assert found.stored
    assert found.right
    assert evidence == found.stored["evidence"] != found.right["evidence"]


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ("DELETE FROM bars WHERE (interval_seconds, start) = (60, $1)", SOME_BAR),
        ("DELETE FROM bars_1h WHERE start = $1", "SELECT start FROM bars_1h"),
        ("DELETE FROM signals WHERE ts = $1", SOME_SIGNAL),
        ("DELETE FROM indicators WHERE kind = 'rsi' AND ts = $1", SOME_INDICATOR),
    ],
)
async def test_a_row_that_is_missing_is_found(market: Market, change: str, at: str) -> None:
    await live(market, long_tape(market))
    row = await one(market, at)
    ts = row["ts"] if "ts" in row else row["start"]
    await market.connection.execute(change, ts)
    [found] = (await verified(market)).differences
    assert (ts, None) == (found.ts, found.stored)
    assert found.right


async def test_a_row_that_was_invented_is_found(market: Market) -> None:
    await live(market, long_tape(market))
    await market.connection.execute(
        "INSERT INTO bars SELECT instrument_id, interval_seconds, start - interval '20 minutes', "
        "open, high, low, close, volume, quote_volume, buy_volume, sell_volume, trades, source "
        "FROM bars WHERE interval_seconds = 60 ORDER BY start LIMIT 1"
    )
    row = await one(market, SOME_SIGNAL)
    await market.connection.execute(
        "CREATE TEMP TABLE invented AS SELECT * FROM signals WHERE ts = $1", row["ts"]
    )
    await market.connection.execute("UPDATE invented SET ts = ts + interval '1 microsecond'")
    await market.connection.execute("INSERT INTO signals SELECT * FROM invented")
    bar, signal = (await verified(market)).differences
    assert ("bar", "signal") == (bar.noun, signal.noun)
    assert bar.right is None is signal.right
    assert (bar.about, signal.about) == ("1m", row["kind"])


@pytest.mark.slow
async def test_what_waits_for_repair_is_not_called_wrong(market: Market) -> None:
    trades = long_tape(market)
    missed = trades.pop(1500)
    await live(market, trades)
    async with market.writing() as writer:
        await writer.store([missed])
    unclaimed = await verified(market)
    async with market.working() as connection:
        await claim_all(new_claimer(), connection)
    for found in (unclaimed, await verified(market)):
        assert () == found.differences
        [unrepaired] = [each for each in found.unverified if each.reason == UNREPAIRED]
        assert unrepaired.from_ts <= missed.ts < unrepaired.to_ts
    await market.connection.execute("DELETE FROM dirty")
    assert (await verified(market)).differences


@pytest.mark.slow
async def test_what_a_dirty_interval_has_no_say_in_is_verified(market: Market) -> None:
    trades = long_tape(market, 20_000)
    await live(market, trades, 4000)
    second = floor(trades[300].ts, SECOND)
    await dirty.mark(
        market.connection, [DirtyInterval(market.ids[0], second, second + SECOND)], "for the test"
    )
    found = await verified(market)
    [unrepaired] = [each for each in found.unverified if each.reason == UNREPAIRED]
    assert unrepaired.to_ts < trades[10_000].ts
    row = await one(market, "SELECT * FROM signals ORDER BY ts DESC LIMIT 1")
    await market.connection.execute("DELETE FROM signals WHERE ts = $1", row["ts"])
    [difference] = (await verified(market)).differences
    assert row["ts"] == difference.ts


async def test_a_kind_in_quarantine_is_not_called_wrong_from_there_on(market: Market) -> None:
    await live(market, long_tape(market))
    row = await one(market, SOME_SIGNAL)
    kind, ts = str(row["kind"]), row["ts"]
    assert isinstance(ts, int)
    await market.connection.execute("DELETE FROM signals WHERE ts >= $1 AND kind = $2", ts, kind)
    await bury_fold(
        market.connection, FailedFold("binance", market.ids[0], kind, ts, "for the test", b"", "test")
    )
    found = await verified(market)
    assert () == found.differences
    [quarantined] = [each for each in found.unverified if each.reason == QUARANTINED]
    assert (kind, ts) == (quarantined.about, quarantined.from_ts)


async def test_nothing_is_said_of_a_tape_that_live_has_not_begun_with(market: Market) -> None:
    async with market.writing() as writer:
        await writer.store(long_tape(market, 100))
    found = await verified(market)
    assert (0, 0, ()) == (found.bars, found.signals, found.differences)
    [unsettled] = found.unverified
    assert (UNSETTLED, FIRST_HOUR, LATER) == (unsettled.reason, unsettled.from_ts, unsettled.to_ts)


async def test_what_another_version_told_is_not_judged_and_what_this_one_told_since_is(
    market: Market,
) -> None:
    await live(market, long_tape(market))
    kind = await market.connection.fetchval("SELECT kind FROM signals GROUP BY kind ORDER BY count(*) DESC")
    times = [
        row["ts"]
        for row in await market.connection.fetch("SELECT ts FROM signals WHERE kind = $1 ORDER BY ts", kind)
    ]
    await market.connection.execute(
        "UPDATE signals SET version = version - 1, strength = 0 WHERE kind = $1 AND ts <= $2", kind, times[1]
    )
    found = await verified(market)
    assert () == found.differences
    [other] = [each for each in found.unverified if each.reason == OTHER_VERSION]
    assert (kind, FIRST_HOUR, times[2]) == (other.about, other.from_ts, other.to_ts)
    await market.connection.execute("DELETE FROM signals WHERE kind = $1 AND ts = $2", kind, times[3])
    assert [times[3]] == [each.ts for each in (await verified(market)).differences]


async def test_signals_of_kinds_that_are_not_computed_from_the_tape_are_left_alone(market: Market) -> None:
    await live(market, long_tape(market))
    await market.connection.execute("UPDATE signals SET kind = 'elsewhere' WHERE kind = 'rsi'")
    found = await verified(market, folder=Folder([fold for fold in KINDS if fold.kind != "rsi"]))
    assert () == found.differences
    assert "elsewhere" in {each.about for each in found.unverified if each.reason == UNKNOWN_KIND}


@pytest.mark.slow
async def test_arrival_in_any_order_and_size_within_two_seconds_is_verified_as_equal(market: Market) -> None:
    trades = long_tape(market, 3000)
    chance = random.Random(5)
    late = sorted(trades, key=lambda trade: trade.ts + chance.randint(0, 1_800_000))
    claimers = [new_claimer() for _ in range(3)]
    async with market.writing() as writer, market.working() as connection:
        while late:
            size = chance.randint(1, 200)
            await writer.store(sorted(late[:size], key=attrgetter("tape_key")))
            late = late[size:]
            await claim_all(chance.choice(claimers), connection)
    found = await verified(market)
    assert () == found.differences
    assert {UNSETTLED} == {each.reason for each in found.unverified}


def keeping(market: Market, at: int) -> Housekeeping:
    nightly = Nightly(market.url, Folder(KINDS), lambda: at, "1.2.3")
    return Housekeeping(market.url, WorkerSettings(), lambda: at, nightly, RetentionSettings())


async def live_for_days(market: Market, days: int, instrument_ids: Sequence[int]) -> None:
    """Store and fold a few trades of each day."""
    await ensure_days(market.connection, [day_of(BEGAN + day * DAY) for day in range(days)])
    for day in range(days):
        for instrument_id in instrument_ids:
            trades = tape(instrument_id, 40)
            later = [
                replace(each, ts=each.ts + day * DAY, trade_id=each.trade_id + day * 40) for each in trades
            ]
            await live(market, later)


async def test_each_night_the_day_before_is_verified_and_recorded(market: Market) -> None:
    await live(market, long_tape(market))
    await market.connection.execute("DELETE FROM signals WHERE ts = (SELECT min(ts) FROM signals)")
    tomorrow = floor(BEGAN, DAY) + DAY + 2 * HOUR
    await keeping(market, tomorrow).verify()
    [row] = await read(market.connection, market.ids, limit=9)
    assert (market.ids[0], tomorrow - 2 * HOUR - DAY) == (row.instrument_id, row.from_ts)
    assert (DAY, "1.2.3", 1) == (row.to_ts - row.from_ts, row.code_version, row.differences)
    assert row.signals > 0
    assert [("signal", None)] == [(each.noun, each.stored) for each in row.found]
    assert 1 == (await verifications.newest(market.connection)).differences


@pytest.mark.parametrize(("missed", "made_up"), [(0, 0), (2, 2), (8, 7)])
async def test_nights_that_were_missed_are_made_up_for_a_week_of_them(
    market: Market, missed: int, made_up: int
) -> None:
    last = floor(BEGAN, DAY) + (missed + 1) * DAY
    await live_for_days(market, missed + 2, market.ids[:1])
    await keeping(market, floor(BEGAN, DAY) + DAY + HOUR).verify()
    told = await keeping(market, last + DAY + HOUR).verify()
    rows = await read(market.connection, market.ids, limit=99)
    assert list(range(last - made_up * DAY, last + DAY, DAY)) == [row.from_ts for row in rows[1:]]
    assert made_up + 1 == told.detail.count("1 instruments, 0 of them")


async def test_what_a_night_left_out_is_made_up_and_nothing_else_is_verified_again(market: Market) -> None:
    first = floor(BEGAN, DAY)
    await live_for_days(market, 2, market.ids[:2])
    await keeping(market, first + DAY + HOUR).verify()
    await market.connection.execute("DELETE FROM verifications WHERE instrument_id = $1", market.ids[1])
    told = await keeping(market, first + 2 * DAY + HOUR).verify()
    assert ["1 instruments, 0 of them with differences", "2 instruments, 0 of them with differences"] == [
        night.partition(": ")[2] for night in told.detail.split("; ")
    ]


async def test_a_day_that_was_dropped_is_not_made_up(market: Market) -> None:
    first = floor(BEGAN, DAY)
    await live_for_days(market, 4, market.ids[:1])
    await retain(market.url, RetentionSettings(trades_days=3, depths_days=3), first + 4 * DAY)
    told = await keeping(market, first + 4 * DAY + HOUR).verify()
    assert [(first + 2 * DAY, 0), (first + 3 * DAY, 0)] == [
        (row.from_ts, row.differences) for row in await read(market.connection, market.ids, limit=9)
    ]
    assert 2 == len(told.detail.split("; "))


async def test_differences_of_days_that_were_made_up_count(market: Market) -> None:
    first = floor(BEGAN, DAY)
    await live_for_days(market, 2, market.ids[:1])
    await market.connection.execute("DELETE FROM bars WHERE start < $1", first + DAY)
    nightly = Nightly(market.url, Folder(KINDS), now, "1.2.3")
    await nightly.run(first)
    await nightly.run(first + DAY)
    assert 0 < (await verifications.newest(market.connection)).differences


LOSE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name LIKE 'heliograph scheduler%' AND datname = current_database()
"""


def losing(url: str, ts: int, times: int) -> Clock:
    """Return a clock that takes PostgreSQL away from the scheduler when it is looked at, some times."""
    left = iter(range(times))

    def clock() -> int:
        if next(left, None) is not None:
            killer = Thread(target=asyncio.run, args=(execute(url, LOSE),))
            killer.start()
            killer.join()
        return ts

    return clock


async def unhurried(_seconds: float) -> None:
    """Wait for nothing."""


@pytest.mark.slow
@pytest.mark.parametrize(("losses", "verified_of"), [(1, (0, 1)), (4, (1,))])
async def test_a_night_that_loses_postgresql_leaves_no_other_instrument_unverified(
    market: Market, losses: int, verified_of: tuple[int, ...]
) -> None:
    for instrument_id in market.ids[:2]:
        await live(market, tape(instrument_id, 40))
    day = floor(BEGAN, DAY)
    clock = losing(market.url, day + DAY + 2 * HOUR, losses)
    nightly = Nightly(market.url, Folder(KINDS), clock, "1.2.3", sleep=unhurried)
    outcome = await nightly.run(day)
    rows = await read(market.connection, market.ids, limit=9)
    assert {market.ids[each] for each in verified_of} == {row.instrument_id for row in rows}
    assert (losses == 4) == outcome.failed
    assert (f"{market.listed[0].instrument.key}: " in outcome.detail) == outcome.failed


@pytest.mark.slow
async def test_a_night_that_was_interrupted_goes_on_with_the_instruments_that_are_left(
    market: Market,
) -> None:
    for instrument_id in market.ids[:2]:
        await live(market, tape(instrument_id, 40))
    day = floor(BEGAN, DAY)
    nightly = Nightly(market.url, Folder(KINDS), lambda: day + DAY, "1.2.3")
    await nightly.run(day)
    await market.connection.execute("DELETE FROM verifications WHERE instrument_id = $1", market.ids[1])
    assert "1 instruments" in (await nightly.run(day, since=day)).detail
    assert 2 == len(await read(market.connection, market.ids, limit=9))
