"""Rows of each format are the trades that the venue's other roads tell, or are refused in words."""

from collections.abc import Sequence

import pytest

from ingest.files.formats import layout_of
from ingest.files.layouts import Layout, Row
from ingest.naming import instrument_named
from market.errors import InvalidInputError, RefusedTickError
from market.times import from_iso
from market.trades import Side, Trade

NOW = from_iso("2026-11-21")
SPOT = instrument_named("binance", "BTC/USDT")
KRAKEN = instrument_named("kraken", "BCH/EUR")
VISION = "28457,4.00000100,12.00000000,48.000012,1499865549590,True,True"
VISION_NAMES = "id,price,qty,quote_qty,time,is_buyer_maker"
TARDIS_NAMES = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
AGGREGATES = "26129,0.01633102,4.70443515,27781,27781,1498793709153,true,true"


def layout(
    format_: str, rows: Sequence[str], venue: str = "binance", symbol: str = "BTC/USDT", columns: str = ""
) -> tuple[Layout, list[list[str]]]:
    split = [row.split(",") for row in rows]
    names = None if any(field.replace(".", "").isdigit() for field in split[0]) else split.pop(0)
    return layout_of(format_, columns)(names, split[0], instrument_named(venue, symbol)), split


def trades(
    format_: str, rows: Sequence[str], venue: str = "binance", symbol: str = "BTC/USDT", columns: str = ""
) -> list[Trade]:
    made, split = layout(format_, rows, venue, symbol, columns)
    return [made.row(fields, 1, NOW).trade for fields in split]


@pytest.mark.parametrize(
    "rows",
    [
        [VISION],
        [VISION.replace("1499865549590", "1499865549590999")],
        [VISION_NAMES, "28457,4.00000100,12.00000000,48.000012,1499865549590,true"],
    ],
    ids=["spot", "spot since 2025", "futures"],
)
def test_a_row_of_binance_vision_is_the_trade_that_the_socket_tells(rows: list[str]) -> None:
    expected = Trade(1, 1_499_865_549_590_000, 28457, 4.000001, 12.0, Side.SELL, NOW)
    assert [expected] == trades("binance-vision", rows)


def test_a_row_of_tardis_says_the_takers_side_and_the_venues_id() -> None:
    row = "coinbase,BTC-USD,1583020803145123,1583020803307160,83456,sell,8531.5,2.152"
    [trade] = trades("tardis", [TARDIS_NAMES, row], "coinbase", "BTC/USD")
    assert Trade(1, 1_583_020_803_145_123, 83456, 8531.5, 2.152, Side.SELL, NOW) == trade


def test_futures_have_a_name_of_their_own_at_tardis() -> None:
    row = "binance-futures,BTCUSDT,1583020803145000,1583020803307160,7,buy,8531.5,2"
    assert [7] == [
        each.trade_id for each in trades("tardis", [TARDIS_NAMES, row], "binance", "BTC/USDT:USDT")
    ]
    with pytest.raises(RefusedTickError, match="binance-futures BTCUSDT, which is not asked for"):
        trades("tardis", [TARDIS_NAMES, row], "binance", "BTC/USDT")


def test_the_unit_of_time_is_recognised_and_cut_to_the_venues_precision() -> None:
    rows = [f"t,{time},1,2" for time in (1700000000, 1700000000123, 1700000000123456, 1700000000123456789)]
    for row, expected in zip(rows, (0, 123, 123, 123), strict=True):
        [trade] = trades("generic", [row], columns="ts=2,price=3,size=4,trade_id=3")
        assert 1_700_000_000_000_000 + expected * 1000 == trade.ts


def test_rows_without_ids_are_told_apart_by_their_place_among_their_equals() -> None:
    rows = ["1672533909,90.0,0.05", "1672533909,90.0,0.05", "1672533909,90.0,0.06", "1672533910,90.0,0.05"]
    made, split = layout("kraken-csv", rows, "kraken", "BCH/EUR")
    found: list[Row] = [made.row(fields, 1, NOW) for fields in split]
    assert [0, 1, 0, 0] == [each.ordinal for each in found]
    assert 4 == len({each.trade.trade_id for each in found})
    assert all(each.trade.trade_id < 0 for each in found)
    assert (False, 1_000_000) == (made.numbered, made.coarseness)
    with pytest.raises(RefusedTickError, match="earlier than the row before it"):
        made.row(["1672533909", "90.0", "0.05"], 1, NOW)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("1,abc,1,1,1499865549590,True,True", "price 'abc' is not a number"),
        ("1,-4,1,1,1499865549590,True,True", "price '-4' is not above zero"),
        ("1,4,0,1,1499865549590,True,True", "size '0' is not above zero"),
        ("1,4,0.12345678901234567890,1,1499865549590,True,True", "more digits than a double"),
        ("1,4,1,1,soon,True,True", "time 'soon' is no time between"),
        ("1,4,1,1,99,True,True", "time '99' is no time between"),
        ("x,4,1,1,1499865549590,True,True", "id 'x' is not a number of 64 bits"),
        ("1" * 5000 + ",4,1,1,1499865549590,True,True", "is not a number of 64 bits"),
        ("9223372036854775808,4,1,1,1499865549590,True,True", "is not a number of 64 bits"),
        ("1,4,1,1,1499865549590,maybe,True", "buyer is maker 'maybe' is none that is known"),
        ("1,4,1", "3 fields in place of 7"),
    ],
)
def test_a_row_that_cannot_be_stored_is_refused_in_words(row: str, why: str) -> None:
    made = layout_of("binance-vision")(None, VISION.split(","), SPOT)
    with pytest.raises(RefusedTickError, match=why):
        made.row(row.split(","), 1, NOW)


@pytest.mark.parametrize(
    ("format_", "rows"),
    [
        ("binance-vision", [AGGREGATES]),
        ("binance-vision", [AGGREGATES.rpartition(",")[0]]),
        (
            "binance-vision",
            [
                "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker",
                "1,1,1,1,1,1,1",
            ],
        ),
        ("generic", ["agg_trade_id,price,size,ts", "1,1,1,1499865549590"]),
        ("generic", ["timestamp,id,type,side,price,amount,cost", "1499865549590,1,,buy,1,1,1"]),
    ],
)
def test_aggregated_trades_are_refused_with_what_to_do(format_: str, rows: list[str]) -> None:
    with pytest.raises(InvalidInputError, match=r"aggregated trades.*backfill the range by REST"):
        layout(format_, rows)


@pytest.mark.parametrize(
    ("format_", "rows", "of", "columns", "why"),
    [
        ("kraken-csv", ["1672533909,90.0,0.05"], ("binance", "BTC/USDT"), "", "no trades of binance"),
        ("binance-vision", [VISION], ("kraken", "BCH/EUR"), "", "no trades of kraken"),
        ("kraken-csv", [VISION], ("kraken", "BCH/EUR"), "", "not time,price,volume"),
        ("binance-vision", ["1672533909,90.0,0.05"], ("binance", "BTC/USDT"), "", "not id,price,qty"),
        ("tardis", [VISION], ("binance", "BTC/USDT"), "", "begin with a line that names"),
        ("generic", ["1,2,3"], ("binance", "BTC/USDT"), "", "say which is which by number"),
        ("generic", ["1,2,3"], ("binance", "BTC/USDT"), "ts=1,price=2,size=9", "say which is which"),
        ("generic", ["a,b,c", "1,2,3"], ("binance", "BTC/USDT"), "ts=z", "no column 'z' for ts; it has a"),
        ("generic", ["a,b,c", "1,2,3"], ("binance", "BTC/USDT"), "ts=a,price=b", "no column 'size'"),
        ("generic", ["a,b", "1,2"], ("binance", "BTC/USDT"), "prise=a", "did you mean price"),
        ("tardis", [VISION], ("binance", "BTC/USDT"), "ts=1", "--columns is for --format generic"),
        ("binance", [VISION], ("binance", "BTC/USDT"), "", "did you mean binance-vision"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_meant_is_refused_whole(
    format_: str, rows: list[str], of: tuple[str, str], columns: str, why: str
) -> None:
    with pytest.raises(InvalidInputError, match=why):
        layout(format_, rows, *of, columns=columns)


def test_a_moment_of_arrival_that_cannot_be_is_refused() -> None:
    rows = ["ts,price,size,received_at", "1700000000,1,2,1700000001"]
    made, [row] = layout("generic", rows, "kraken", "BCH/EUR")
    assert 1_700_000_001_000_000 == made.row(row, 1, NOW).trade.received_at
    with pytest.raises(RefusedTickError, match="received_at '99' is no time between"):
        made.row([*row[:3], "99"], 1, NOW)


def test_a_first_row_that_is_short_is_refused_alone() -> None:
    row = ["coinbase", "BTC-USD", "1583020803145123", "1583020803307160", "83456", "sell", "8531.5", "2.152"]
    made, [short] = layout("tardis", [TARDIS_NAMES, "coinbase"], "coinbase", "BTC/USD")
    with pytest.raises(RefusedTickError, match="1 fields in place of 8"):
        made.row(short, 1, NOW)
    assert 83456 == made.row(row, 1, NOW).trade.trade_id


def test_columns_of_a_generic_file_are_mapped_by_name() -> None:
    rows = ["When,Px,Qty,No,Maker", "2023-11-14T22:13:20.5Z,1.5,2,-7,false"]
    mapping = "ts=When,price=px,size=qty,trade_id=no,buyer_made=maker"
    expected = Trade(1, 1_700_000_000_500_000, -7, 1.5, 2.0, Side.BUY, NOW)
    assert [expected] == trades("generic", rows, columns=mapping)
