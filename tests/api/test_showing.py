"""Frames of latest values are made once for all for whom they are the same."""

import pytest

from api.formats import Format
from api.showing import _SLOTS, Showing
from market.channels import Family
from market.publications import Latest
from tests.api.peers import Served, Worker


@pytest.fixture
async def showing(served: Served, worker: Worker) -> Showing:
    await worker.instruments("SOL/USD")
    await served.state["catalogue"].refresh()
    return Showing(served.state["catalogue"])


def quote(ts: int, instrument_id: int = 1) -> Latest:
    return Latest(instrument_id, Family.QUOTES, ts, 0, 1, f'{{"ts":{ts}}}')


async def test_who_is_told_the_same_is_sent_the_same_frame(showing: Showing) -> None:
    value = quote(1)
    showing.show(value)
    one, again, other = (showing.latest(value, conflated) for conflated in (1, 1, 2))
    assert (True, False) == (one is again, one is other)
    assert b'"conflated":2' in other.wire(Format.JSON)


async def test_who_lags_behind_is_sent_the_older_value(showing: Showing) -> None:
    older, newer = quote(1), quote(2)
    for value in (older, newer):
        showing.show(value)
    assert b'{"ts":1}' in showing.latest(older, 1).wire(Format.JSON)
    assert b'{"ts":2}' in showing.latest(newer, 1).wire(Format.JSON)


async def test_what_is_kept_is_bounded(showing: Showing) -> None:
    for instrument_id in range(1, 2 * _SLOTS):
        showing.show(quote(1, instrument_id))
    assert _SLOTS == len(showing._shown)
    assert b'{"ts":1}' in showing.latest(quote(1), 1).wire(Format.JSON)
