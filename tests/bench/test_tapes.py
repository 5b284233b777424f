"""Recorded trades on several tapes."""

import pytest

from bench import tapes


@pytest.mark.slow
def test_trades_are_laid_in_order_and_never_twice() -> None:
    recorded = tapes.recorded()
    laid = tapes.laid(recorded, [1, 2, 3], 3 * len(recorded.trades) + 50)
    assert len(laid) == len({(trade.instrument_id, trade.tape_key) for trade in laid})
    assert [trade.ts for trade in laid] == sorted(trade.ts for trade in laid)


def test_pieces_are_cut_without_loss() -> None:
    trades = tapes.laid(tapes.recorded(), [1], 25)
    pieces = tapes.cut(trades, 10)
    assert [10, 10, 5] == [len(piece) for piece in pieces]
    assert trades == [trade for piece in pieces for trade in piece]
