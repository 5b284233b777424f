"""What real venues sent, played through the whole path: every trade once, every bar right."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from heliograph.roles import WORKER_LIVE
from tests.acceptance import evidence
from tests.acceptance.evidence import Candles
from tests.acceptance.house import House, Tally

pytestmark = pytest.mark.slow

SPOT = "hftbacktest/spot_btcusdt_20240808.gz"
SPOT_TRADES = 9757
KRAKEN = "cryptofeed/2021-09-14/KRAKEN.ws.48.0.a07dc5a.gz"
COINBASE = "cryptofeed/2021-09-14/COINBASE.ws.28.0.974302d.gz"
MILLISECOND = 1000


async def test_bars_equal_those_that_a_few_lines_compute_from_the_recording(
    house: House, recordings: Path
) -> None:
    assert counts(stored=SPOT_TRADES) == await _trades_replayed(house, "binance", recordings / SPOT)
    evidence.assert_final(_candles(recordings / SPOT), await _bars(house))


async def test_a_recording_in_which_everything_comes_twice_stores_each_trade_once(
    house: House, recordings: Path, tmp_path: Path
) -> None:
    doubled = tmp_path / "doubled"
    with gzip.open(recordings / SPOT) as lines, doubled.open("wb") as twice:
        twice.writelines(line + line for line in lines)
    tally = await _trades_replayed(house, "binance", doubled)
    assert counts(stored=SPOT_TRADES, duplicates=SPOT_TRADES) == tally
    assert SPOT_TRADES == (await house.in_store())["trades"]
    evidence.assert_final(_candles(recordings / SPOT), await _bars(house))


async def test_trades_of_kraken_that_have_no_id_are_told_apart(house: House, recordings: Path) -> None:
    """Ten trades in eight messages."""
    assert counts(stored=10) == await _trades_replayed(house, "kraken", recordings / KRAKEN)
    assert 10 == (await house.in_store())["trades"]


async def test_the_last_matches_of_coinbase_are_stored_as_any_trade(house: House, recordings: Path) -> None:
    """None of the ten is told again as a match, so that all are stored beside the 97 matches."""
    assert counts(stored=107) == await _trades_replayed(house, "coinbase", recordings / COINBASE)
    told = {kind: _ids(recordings / COINBASE, kind) for kind in ("match", "last_match")}
    assert {"match": 97, "last_match": 10} == {kind: len(ids) for kind, ids in told.items()}
    async with house.connected() as connection:
        stored = {(row["venue_symbol"], row["trade_id"]) for row in await connection.fetch(STORED)}
    assert told["match"] | told["last_match"] == stored


STORED = "SELECT venue_symbol, trade_id FROM trades JOIN instruments USING (instrument_id)"


def counts(*, stored: int, duplicates: int = 0) -> Tally:
    rest = {"conflated": 0, "rejected": 0}
    return {"offered": stored + duplicates, "stored": stored, "duplicates": duplicates, **rest}


async def _trades_replayed(house: House, venue: str, recording: Path) -> Tally:
    """Play a recording through everything but the API; return what became of its trades."""
    playing = await house.venue(venue, "--file", str(recording), "--speed", "max")
    await house.ingest(playing)
    await house.start(WORKER_LIVE)
    await house.settled(playing)
    return (await house.tallies())["trades"]


async def _bars(house: House) -> Candles:
    async with house.connected() as connection:
        (outcome,) = (await evidence.stored(connection)).values()
    return evidence.as_candles(outcome.bars)


def _candles(recording: Path) -> Candles:
    trades = [each["data"] for each in _frames(recording) if each.get("stream", "").endswith("@trade")]
    ordered = sorted(trades, key=lambda trade: (trade["T"], trade["t"]))
    return evidence.candles((each["T"] * MILLISECOND, float(each["p"]), float(each["q"])) for each in ordered)


def _ids(recording: Path, kind: str) -> set[tuple[str, int]]:
    return {(each["product_id"], each["trade_id"]) for each in _frames(recording) if each.get("type") == kind}


def _frames(recording: Path) -> list[dict[str, Any]]:
    """Return what was received: ``TIME {...}`` or ``TIME: {...}``."""
    with gzip.open(recording, "rt") as lines:
        texts = [line.partition(" ")[2] for line in lines if line[0].isdigit()]
    return [json.loads(text) for text in texts]
