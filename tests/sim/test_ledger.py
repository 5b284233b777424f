from hypothesis import given
from hypothesis import strategies as st

from sim.ledger import Fill, Ledger, Trades


def fill(number: int | None, ns: int = 0) -> Fill:
    return Fill(number, ns, "1.0", "2.0", "buy")


def ids(fills: list[Fill]) -> list[int | None]:
    return [each.trade_id for each in fills]


@given(st.lists(st.integers(0, 50)))
def test_trades_are_kept_once_and_in_the_order_of_their_ids(numbers: list[int]) -> None:
    trades = Trades()
    for number in numbers:
        trades.record(fill(number))
    assert sorted(set(numbers)) == [number for number, _, _ in trades.tape()]


def test_history_goes_forward_from_an_id_and_back_from_the_newest() -> None:
    trades = Trades()
    for number in range(10, 20):
        trades.record(fill(number, ns=number))
    assert [12, 13, 14] == ids(trades.history(12, 3))
    assert [17, 18, 19] == ids(trades.latest(3))
    assert [13, 14] == ids(trades.latest(2, before=15))
    assert [18, 19] == ids(trades.since(17, 5))


def test_what_history_was_told_to_forget_stays_on_the_tape() -> None:
    trades = Trades()
    for number in range(1, 6):
        trades.record(fill(number, ns=number))
    trades.forget(3)
    assert [2, 4] == ids(trades.history(2, 2))
    assert [2, 4] == ids(trades.latest(2, before=5))
    assert [2, 4] == ids(trades.since(1, 2))
    assert [True, True, False, True, True] == [known for _, _, known in trades.tape()]


def test_trades_without_ids_are_numbered_as_they_come() -> None:
    trades = Trades()
    assert [1, 2] == [trades.record(fill(None)) for _ in range(2)]
    assert not trades.numbered


def test_the_oldest_are_given_up_beyond_the_bound() -> None:
    trades = Trades(remembered=100)
    for number in range(1, 1001):
        trades.record(fill(number))
    kept = [number for number, _, _ in trades.tape()]
    assert 100 <= len(kept) <= 125
    assert kept == list(range(1001 - len(kept), 1001))


def test_a_symbol_that_is_not_traded_has_no_trades() -> None:
    ledger = Ledger(["BTCUSDT"])
    ledger.record("BTCUSDT", [fill(1)])
    assert ledger.of("ETHUSDT") is None
    assert [fill(1)] == (ledger.of("BTCUSDT") or Trades()).latest(5)
