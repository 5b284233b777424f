"""From where on batches are looked for."""

from db.claims import Due
from workers.walks import Walks


def test_nothing_is_known_at_first() -> None:
    assert {} == Walks().begin()


def test_what_waits_tells_up_to_where_all_is_done_in_shards_of_others_too() -> None:
    walks = Walks()
    walks.seen([Due(3, 1, 0.0, [0, 1], [7, 20]), Due(4, 0, 0.0, [0], [1])])
    assert {3: {0: 6, 1: 19}, 4: {0: 0}} == walks.begin()


def test_it_never_goes_back() -> None:
    walks = Walks()
    walks.did(3, {0: 9})
    walks.seen([Due(3, 1, 0.0, [0, 1], [7, 20])])
    walks.did(3, {0: 8, 1: 30})
    assert {3: {0: 9, 1: 30}} == walks.begin()
