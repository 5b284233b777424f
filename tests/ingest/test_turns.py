"""Addresses, one after the other."""

from ingest.turns import Turns


def test_each_failure_goes_on_to_the_next_and_after_the_last_to_the_first() -> None:
    turns = Turns(("a", "b"))
    tried = [turns.current, turns.current]
    for _ in range(2):
        turns.failed()
        tried.append(turns.current)
    assert ["a", "a", "b", "a"] == tried
