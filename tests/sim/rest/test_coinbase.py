# https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-trades
import json
from typing import Any

import pytest

from market.times import from_iso
from sim.ledger import MICROSECOND, Fill, Ledger
from sim.rest.coinbase import CoinbaseRest
from sim.rest.rest import address_of
from sim.wire.http import Answer

DOCUMENTED = Fill(
    74, from_iso("2014-11-07T22:19:28.578544Z") * MICROSECOND, "10.00000000", "0.01000000", "sell"
)


def asked(query: str, *fills: Fill) -> Answer:
    ledger = Ledger(["BTC-USD"])
    ledger.record("BTC-USD", fills)
    answer = CoinbaseRest().answer(address_of(f"/products/{query}"), ledger, 0)
    assert answer is not None
    return answer


def many(count: int) -> list[Fill]:
    return [DOCUMENTED._replace(trade_id=number) for number in range(1, count + 1)]


def numbers(answer: Answer) -> list[Any]:
    return [row["trade_id"] for row in json.loads(answer.body)]


def test_a_trade_is_told_as_documented_with_the_side_of_its_maker() -> None:
    expected = {
        "trade_id": 74,
        "side": "buy",
        "size": "0.01000000",
        "price": "10.00000000",
        "time": "2014-11-07T22:19:28.578544Z",
    }
    assert [expected] == json.loads(asked("BTC-USD/trades", DOCUMENTED).body)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?limit=3", [1500, 1499, 1498]),
        ("?limit=2&after=100", [99, 98]),
        ("?limit=2&before=100", [1500, 1499]),
        ("?before=1498", [1500, 1499]),
        ("?before=97&after=100", [99, 98]),
        ("?after=1", []),
    ],
)
def test_the_newest_come_first_and_older_ones_after_an_id(query: str, expected: list[int]) -> None:
    assert expected == numbers(asked(f"BTC-USD/trades{query}", *many(1500)))


def test_a_page_holds_a_thousand_and_names_its_ends() -> None:
    answer = asked("BTC-USD/trades?limit=5000", *many(1500))
    assert list(range(1500, 500, -1)) == numbers(answer)
    assert {"cb-before": "1500", "cb-after": "501"} == answer.headers


def test_another_product_is_not_found_and_another_address_not_of_trades() -> None:
    assert (404, {"message": "NotFound"}) == (
        (answer := asked("ETH-USD/trades")).status,
        json.loads(answer.body),
    )
    assert CoinbaseRest().answer(address_of("/products/BTC-USD/book"), Ledger(["BTC-USD"]), 0) is None


def test_too_many_requests_are_refused_with_429() -> None:
    assert CoinbaseRest().limited(0).status == 429
