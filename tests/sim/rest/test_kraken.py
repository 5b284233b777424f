# https://docs.kraken.com/api-reference/market-data/get-recent-trades
import json
from typing import Any

import pytest

from sim.ledger import Fill, Ledger
from sim.rest.kraken import KrakenRest
from sim.rest.rest import address_of

DOCUMENTED = Fill(61_044_952, 1_688_669_597_827_736_900, "30243.40000", "0.34507674", "buy")


def asked(query: str, *fills: Fill) -> Any:  # noqa: ANN401 - parsed JSON
    ledger = Ledger(["BTC/USD", "SOL/USD", "XBT/EUR"])
    ledger.record("BTC/USD", fills)
    answer = KrakenRest().answer(address_of(f"/0/public/Trades?{query}"), ledger, 0)
    assert answer is not None
    assert answer.status == 200
    return json.loads(answer.body, parse_float=str)


def many(count: int) -> list[Fill]:
    return [DOCUMENTED._replace(trade_id=n, ns=10**18 + n) for n in range(1, count + 1)]


def test_a_trade_is_told_as_documented() -> None:
    row = ["30243.40000", "0.34507674", "1688669597.8277369", "b", "m", "", 61044952]
    expected = {"error": [], "result": {"XXBTZUSD": [row], "last": "1688669597827736900"}}
    assert expected == asked("pair=XBTUSD", DOCUMENTED)


@pytest.mark.parametrize("pair", ["XBTUSD", "XXBTZUSD", "BTC/USD", "BTCUSD", "XBT/USD"])
def test_a_pair_has_many_names(pair: str) -> None:
    assert {"XXBTZUSD", "last"} == asked(f"pair={pair}")["result"].keys()


@pytest.mark.parametrize(("pair", "name"), [("SOLUSD", "SOLUSD"), ("XBTEUR", "XXBTZEUR")])
def test_only_old_pairs_have_letters_before_their_names(pair: str, name: str) -> None:
    assert {name, "last"} == asked(f"pair={pair}")["result"].keys()


@pytest.mark.parametrize(
    ("query", "expected", "last"),
    [
        ("", range(501, 1501), 1500),
        ("&count=2", range(1499, 1501), 1500),
        (f"&count=3&since={10**18 + 5}", range(6, 9), 8),
        (f"&since={10**18 + 1500}", (), 1500),
        ("&count=1&since=1", range(1, 2), 1),
    ],
)
def test_what_is_later_than_since_comes_the_oldest_first(query: str, expected: range, last: int) -> None:
    result = asked(f"pair=XBTUSD{query}", *many(1500))["result"]
    assert (list(expected), str(10**18 + last)) == ([row[6] for row in result["XXBTZUSD"]], result["last"])


def test_prices_are_padded_and_trades_without_ids_have_none() -> None:
    fill = DOCUMENTED._replace(trade_id=None, price="0.5", size="40")
    ((price, size, *_, misc),) = asked("pair=XBTUSD", fill)["result"]["XXBTZUSD"]
    assert ("0.50000", "40.00000000", "") == (price, size, misc)


def test_an_unknown_pair_is_refused() -> None:
    assert {"error": ["EQuery:Unknown asset pair"]} == asked("pair=ETHUSD")


def test_too_many_requests_are_refused_in_an_answer_that_is_otherwise_well() -> None:
    rest = KrakenRest()
    told = [rest.limited(0) for _ in range(4)]
    assert {200} == {answer.status for answer in told}
    assert ["EAPI:Rate limit exceeded", "EGeneral:Too many requests"] == [
        json.loads(answer.body)["error"][0] for answer in (told[0], told[3])
    ]
