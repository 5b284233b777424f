import json

from sim.ledger import Fill, Ledger
from sim.rest.rest import address_of
from sim.rest.tape import tape_of


def played() -> Ledger:
    ledger = Ledger(["BNBBTC"])
    ledger.record("BNBBTC", [Fill(number, 1_500_000, "4.0", "12.0", "sell") for number in range(1, 5)])
    return ledger


def test_the_true_tape_is_told_with_what_history_lacks() -> None:
    ledger = played()
    trades = ledger.of("BNBBTC")
    assert trades is not None
    trades.forget(2)
    told = json.loads(tape_of(address_of("/sim/tape?symbol=BNBBTC&limit=2"), ledger).body)
    trade = {"id": 1, "ts": 1500, "price": "4.0", "size": "12.0", "side": "sell", "forgotten": False}
    assert {"symbol": "BNBBTC", "trades": [trade, {**trade, "id": 2, "forgotten": True}]} == told


def test_it_goes_on_after_an_id() -> None:
    told = json.loads(tape_of(address_of("/sim/tape?symbol=BNBBTC&after=2"), played()).body)
    assert [3, 4] == [trade["id"] for trade in told["trades"]]


def test_another_symbol_has_no_tape() -> None:
    answer = tape_of(address_of("/sim/tape?symbol=ETHBTC"), played())
    assert (404, "no symbol 'ETHBTC' is traded here") == (answer.status, json.loads(answer.body)["error"])
