"""A model trained on generated days and recorded minutes scores what comes next, as roles of their own."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from db import minutes, trained_models, trainings
from db.instruments import Listed, register
from heliograph.roles import WORKER_BACKFILL, WORKER_LIVE, WORKER_SCORING
from ingest.naming import instrument_named
from market.times import DAY, MINUTE, SECOND, floor
from tests.acceptance.house import House
from tests.workers.models.days import generated
from tests.workers.models.history import store
from workers.models.anomaly import Era, told
from workers.models.promoting import loaded

pytestmark = pytest.mark.slow

SPOT = "hftbacktest/spot_btcusdt_20240808.gz"
SECONDS_PLAYED_FIRST = 200
CALM, CRASH = 25, 40
"""Minutes after the recording: so many are calm, then one is a crash, then they are calm again."""

TOLD = "SELECT ts, version, direction FROM signals WHERE kind = 'anomaly' ORDER BY ts"
PUBLISHED = "SELECT ts, op FROM publications WHERE about = 'anomaly' ORDER BY \"offset\""


async def test_what_was_trained_on_the_past_scores_what_is_live(
    house: House, recordings: Path, tmp_path: Path
) -> None:
    first, rest, began = _halves(recordings / SPOT, tmp_path)
    async with house.connected() as connection:
        name = instrument_named("binance", "BTC/USDT", None)
        (instrument,) = (await register(connection, [name])).values()
        past = generated(2 * 1440, quoted=False, start=floor(began, MINUTE) - 2 * DAY)
        await store(connection, instrument, past)
    await house.start(WORKER_LIVE, WORKER_BACKFILL, WORKER_SCORING)
    await _played(house, first)
    model_id = await _trained(house)
    await _played(house, rest)
    await house.until(lambda: _all_scored(house, instrument))
    async with house.connected() as connection:
        row = await trained_models.model(connection, model_id)
        assert row.from_ts is not None
        assert 2 * 1440 < row.minutes <= 2 * 1440 + 6
        assert began < row.from_ts < row.trained_to + MINUTE
        model = await loaded(connection, model_id)
        everything = await minutes.read(connection, instrument.instrument_id, row.from_ts, began + DAY)
        expected = [
            (signal.ts, signal.version, signal.direction.value)
            for signal in told(Era(1, row.from_ts, None, model), everything[:-1])
        ]
        assert "up" in {direction for _, _, direction in expected}
        assert expected == [tuple(each) for each in await connection.fetch(TOLD)]
        await house.until(lambda: _counted(house, len(expected)))
        assert [(ts, "signal") for ts, _, _ in expected] == [
            tuple(e) for e in await connection.fetch(PUBLISHED)
        ]


async def _played(house: House, recording: Path) -> None:
    venue = await house.venue("binance", "--file", str(recording), "--speed", "max")
    ingester = await house.ingest(venue)
    await house.until(venue.finished)
    played = _last_trade(recording)

    async def stored() -> int:
        return await house.value("SELECT count(*) FROM trades WHERE trade_id = $1", played)

    await house.until(stored)
    await house.folded()
    await house.stop(ingester)


def _last_trade(recording: Path) -> int:
    lines = [line for line in recording.read_bytes().splitlines() if b"btcusdt@trade" in line]
    number: int = json.loads(lines[-1].split(b" ", 1)[1])["data"]["t"]
    return number


async def _trained(house: House) -> int:
    """Ask for a training, and return the model that is in use when it is done."""
    async with house.connected() as connection:
        (history,) = await trainings.histories(connection, days=30)
        await trainings.enqueue(connection, history)

    async def in_use() -> int:
        return await house.value("SELECT max(model_id) FROM trained_models WHERE state = 'in use'")

    return await house.until(in_use)


async def _counted(house: House, anomalies: int) -> bool:
    (row,) = await house.rows(WORKER_LIVE.name)
    return bool(anomalies == row.counters["signals"].get("anomaly"))


async def _all_scored(house: House, instrument: Listed) -> bool:
    """Tell whether the log of minutes is scored up to the crash's end, and nothing is on its way."""
    return not await house.value(
        """
        SELECT EXISTS (SELECT FROM staged) OR EXISTS (
            SELECT FROM publications JOIN scorings USING (instrument_id)
            WHERE instrument_id = $1 AND family = 'bars' AND about = '1m'
              AND publications."offset" > scorings."offset"
              AND ts < (SELECT max(ts) - interval '63 seconds' FROM trades)
        )
        """,
        instrument.instrument_id,
    )


def _halves(recording: Path, folder: Path) -> tuple[Path, Path, int]:
    """Cut a recording in two, with more minutes behind it; return both, and when it began."""
    lines = gzip.decompress(recording.read_bytes()).splitlines(keepends=True)
    times = [int(line.split(b" ", 1)[0]) for line in lines]
    cut = next(at for at, ns in enumerate(times) if ns >= times[0] + SECONDS_PLAYED_FIRST * 10**9)
    first, rest = folder / "first", folder / "rest"
    first.write_bytes(b"".join(lines[:cut]))
    rest.write_bytes(b"".join(lines[cut:]) + b"".join(_more(times[-1] // 1000)))
    return first, rest, times[0] // 1000


def _more(ended: int) -> Iterator[bytes]:
    """Minutes after the recording, as its lines; one of them falls by a twentieth in a storm of trades."""
    start, price, number = floor(ended, MINUTE) + 2 * MINUTE, 61_700.0, 10**12
    for minute in range(CALM + CRASH):
        count = 1500 if minute == CALM else 300
        for trade in range(count):
            price *= 1 - 0.05 / count if minute == CALM else 1 + (0.00001 if trade % 2 else -0.00001)
            number += 1
            yield _line(start + minute * MINUTE + trade * (59 * SECOND // count), number, price)


def _line(ts: int, number: int, price: float) -> bytes:
    trade = {
        "e": "trade", "E": ts // 1000, "s": "BTCUSDT", "t": number, "p": f"{price:.2f}", "q": "0.02000000",
        "T": ts // 1000, "m": bool(number % 2), "M": True,
    }  # fmt: skip
    return b"%d %s\n" % (ts * 1000, json.dumps({"stream": "btcusdt@trade", "data": trade}).encode())
