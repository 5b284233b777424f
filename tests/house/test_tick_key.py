"""What docs/decisions/0001-tick-key.md says would be lost, counted again from the recordings."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

pytestmark = pytest.mark.slow

TABLE = Path(__file__).parents[2] / "docs" / "decisions" / "0001-tick-key.md"
TAPES = {
    "Binance spot BTC/USDT and ETH/USDT": ["spot_btcusdt_20240808.gz", "spot_ethusdt_20240808.gz"],
    "Binance USD-M BTC/USDT": ["usdm_btcusdt_20240808.gz"],
}

Row = tuple[str, int, str, str, bool, int]
"""Symbol, time in milliseconds, price, size, whether the buyer was the maker, the venue's id."""

KEYS = [(1,), (0, 1), (0, 1, 2, 3, 4), (0, 1, 5)]
"""Columns of a row: the bare key, plus the symbol, plus the content, and what was decided."""


def trades(file: Path) -> Iterator[Row]:
    """Read a capture's trades with nothing of ours: ``<local ns> <json>`` a line."""
    with gzip.open(file) as lines:
        for line in lines:
            if b"@trade" in line:
                data = msgspec.json.decode(line.partition(b" ")[2])["data"]
                yield data["s"], data["T"], data["p"], data["q"], data["m"], data["t"]


def lost(rows: set[Row], *columns: int) -> str:
    kept = {tuple(row[column] for column in columns) for row in rows}
    return f"{100 * (len(rows) - len(kept)) / len(rows):.0f} %"


@pytest.mark.parametrize("tape", TAPES)
def test_the_bare_key_loses_what_its_decision_says(tape: str, recordings: Path) -> None:
    rows = {row for name in TAPES[tape] for row in trades(recordings / "hftbacktest" / name)}
    counted = [f"{len(rows):,}", *(lost(rows, *key) for key in KEYS)]
    written = re.search(rf"^\| {re.escape(tape)} \| (.*) \|$", TABLE.read_text(), re.MULTILINE)
    assert written is not None
    assert counted == written[1].split(" | ")
