# https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
import json
from typing import Any

import pytest

from market.times import MINUTE
from sim.ledger import Fill, Ledger
from sim.rest.binance import BinanceRest
from sim.rest.rest import address_of
from sim.wire.http import Answer

DOCUMENTED = Fill(28457, 1_499_865_549_590_000_000, "4.00000100", "12.00000000", "sell")


def ledger(*fills: Fill) -> Ledger:
    made = Ledger(["BNBBTC"])
    made.record("BNBBTC", fills)
    return made


def asked(target: str, *fills: Fill, rest: BinanceRest | None = None, now: int = 0) -> Answer:
    answer = (rest or BinanceRest()).answer(address_of(target), ledger(*fills), now)
    assert answer is not None
    return answer


def numbers(answer: Answer) -> list[Any]:
    return [row["id"] for row in json.loads(answer.body)]


def many(count: int) -> list[Fill]:
    return [DOCUMENTED._replace(trade_id=number) for number in range(1, count + 1)]


def test_a_trade_of_spot_is_told_as_documented() -> None:
    expected = {
        "id": 28457,
        "price": "4.00000100",
        "qty": "12.00000000",
        "quoteQty": "48.00001200",
        "time": 1499865549590,
        "isBuyerMaker": True,
        "isBestMatch": True,
    }
    assert [expected] == json.loads(asked("/api/v3/historicalTrades?symbol=BNBBTC", DOCUMENTED).body)


def test_a_trade_of_usd_m_has_no_best_match() -> None:
    (told,) = json.loads(asked("/fapi/v1/historicalTrades?symbol=BNBBTC", DOCUMENTED).body)
    assert {"id", "price", "qty", "quoteQty", "time", "isBuyerMaker"} == told.keys()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", range(1001, 1501)),
        ("&limit=3", range(1498, 1501)),
        ("&limit=5000", range(501, 1501)),
        ("&fromId=7&limit=2", range(7, 9)),
        ("&fromId=7&limit=1000", range(7, 1007)),
        ("&fromId=1499", range(1499, 1501)),
        ("&fromId=1501", ()),
    ],
)
def test_old_trades_are_paged_by_id(query: str, expected: range) -> None:
    answer = asked(f"/api/v3/historicalTrades?symbol=BNBBTC{query}", *many(1500))
    assert list(expected) == numbers(answer)


def test_recent_trades_know_no_id_to_begin_from() -> None:
    assert [4, 5] == numbers(asked("/api/v3/trades?symbol=BNBBTC&fromId=1&limit=2", *many(5)))


@pytest.mark.parametrize(("query", "code"), [("", -1102), ("?symbol=ETHBTC", -1121)])
def test_a_wrong_symbol_is_refused(query: str, code: int) -> None:
    answer = asked(f"/api/v3/historicalTrades{query}")
    assert (400, code) == (answer.status, json.loads(answer.body)["code"])


def test_weights_add_up_within_a_minute() -> None:
    rest = BinanceRest()
    used = [
        asked(target, rest=rest, now=now).headers["x-mbx-used-weight-1m"]
        for target, now in (
            ("/api/v3/historicalTrades?symbol=BNBBTC", 0),
            ("/fapi/v1/historicalTrades?symbol=BNBBTC", 1),
            ("/fapi/v1/trades?symbol=BNBBTC", MINUTE),
        )
    ]
    assert ["25", "45", "5"] == used


def test_other_addresses_are_not_of_trades() -> None:
    assert BinanceRest().answer(address_of("/api/v3/depth?symbol=BNBBTC"), ledger(), 0) is None


def test_who_goes_on_asking_too_often_is_banned_for_longer_and_longer() -> None:
    rest = BinanceRest()
    told = [rest.limited(1_000_000) for _ in range(5)]
    assert [429, 429, 429, 418, 418] == [answer.status for answer in told]
    assert ["1", "1", "1", "2", "4"] == [answer.headers["retry-after"] for answer in told]
    assert "IP banned until 3000." in json.loads(told[3].body)["msg"]
    assert rest.limited(2 * MINUTE).status == 429
