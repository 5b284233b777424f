"""What a file proves: the stretches between its trades, where nothing is missing among them."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.files.layouts import Row
from ingest.files.runs import Runs
from market.coverage import Interval, Proof, united
from market.trades import Trade


def numbered(trade_id: int) -> Row:
    return Row(Trade(1, trade_id * 10, trade_id, 1.0, 1.0, 0, 0))


def plain(ts: int) -> Row:
    return Row(Trade(1, ts, -ts, 1.0, 1.0, 0, 0), 0)


def proven(proofs: list[Proof]) -> list[tuple[int, int]]:
    return [
        (each.from_ts, each.to_ts)
        for each in united(Interval(proof.from_ts, proof.to_ts) for proof in proofs)
    ]


def test_ids_without_holes_prove_what_lies_between_them() -> None:
    rows = [numbered(each) for each in (5, 6, 7, 9, 10)]
    assert [(51, 70), (91, 100)] == proven(Runs(1).follow(rows))


def test_rows_without_ids_prove_all_but_where_one_was_refused() -> None:
    assert [(5, 18), (20, 28)] == proven(Runs(1, coarseness=8).follow([plain(5), plain(10), None, plain(20)]))


def test_one_trade_alone_proves_nothing() -> None:
    assert [] == Runs(1).follow([numbered(5), None, numbered(8)])


@given(st.lists(st.integers(1, 30), unique=True).map(sorted), st.integers(1, 30))
def test_however_rows_are_cut_into_pages_they_prove_the_same(ids: list[int], cut: int) -> None:
    whole, parts = Runs(1), Runs(1)
    rows = [numbered(each) for each in ids]
    pages = [parts.follow(rows[at : at + cut]) for at in range(0, len(rows), cut)]
    assert proven(whole.follow(rows)) == proven([proof for page in pages for proof in page])
