"""Books that go wrong are given up, asked for again, and right afterwards; no depth is stored meanwhile."""

from typing import Any

import pytest

from heliograph.roles import INGEST
from tests.acceptance.house import House

pytestmark = pytest.mark.slow

CROSSED = "SELECT count(*) FROM depths WHERE bid_prices[1] >= ask_prices[1]"
TAPE = ("--generate", "--rate", "200", "--seconds", "14")


@pytest.mark.parametrize(
    ("venue", "symbols", "fault", "cause"),
    [
        ("binance", "BTC/USDT,SOL/USDT", "drop@4s+1s:share=0.5,feed=depths", "sequence"),
        ("binance", "BTC/USDT,SOL/USDT", "checksum@4s:count=3", "sequence"),
        ("kraken", "BTC/USD,SOL/USD", "checksum@4s:count=3", "checksum"),
        ("kraken", "BTC/USD,SOL/USD", "drop@4s+1s:share=0.5,feed=depths", "checksum"),
        ("coinbase", "BTC/USD,SOL/USD", "truncated@4s:count=3,feed=depths", "unreadable"),
    ],
)
async def test_a_book_that_goes_wrong_is_mended(
    house: House, venue: str, symbols: str, fault: str, cause: str
) -> None:
    playing = await house.venue(venue, *TAPE, "--symbols", symbols, "--fault", fault)
    await house.ingest(playing)
    await house.start()

    async def mended() -> bool:
        found = await _books(house)
        return bool(found) and all(book["state"] == "valid" and book["resyncs"] for book in found)

    await house.until(playing.finished)
    await house.until(mended)
    assert {cause} <= {book["cause"] for book in await _books(house)}
    assert await house.value(CROSSED) == 0
    assert await house.value("SELECT count(DISTINCT instrument_id) FROM depths") == len(symbols.split(","))


async def _books(house: House) -> list[dict[str, Any]]:
    rows = await house.rows(INGEST.name)
    return [book for row in rows for book in row.counters.get("books", [])]
