"""Gaps are healed from the table, from the venue, or put on record as what nobody has any more."""

import json

import msgspec
import pytest
from starlette.responses import Response

from db import feeds, gaps, jobs
from db.feeds import FeedName, WantedFeed
from db.history.gaps import Filters, read
from db.proofs import read_coverage
from market.gaps import Cause, Finding, GapState
from market.times import HOUR, SECOND
from market.trades import Trade
from tests.ingest.history.conftest import Healer
from tests.ingest.history.past import BEGAN, Place

pytestmark = pytest.mark.slow

END = BEGAN + 10 * SECOND


async def coverage(place: Place, from_ts: int, to_ts: int) -> float:
    one = place.listed.instrument_id
    return (await read_coverage(place.connection, [one], "trades", from_ts, to_ts))[one].share(from_ts, to_ts)


async def as_stored(place: Place) -> list[tuple[object, ...]]:
    rows = await place.connection.fetch(
        "SELECT instrument_id, ts, trade_id, price, size, side FROM trades ORDER BY trade_id"
    )
    return [tuple(row) for row in rows]


def content(trade: Trade) -> tuple[object, ...]:
    return trade.instrument_id, trade.ts, trade.trade_id, trade.price, trade.size, trade.side


async def test_a_gap_whose_trades_are_stored_closes_without_a_request(healer: Healer) -> None:
    place = healer.place
    await place.store(*range(1, 11))
    gap = await place.open(2, 9)
    await healer.heal()
    assert ([("closed", 2, 9)], []) == (await place.gaps(), place.server.asked)
    assert 1.0 == await coverage(place, gap.from_ts, gap.to_ts)
    assert ("done", "done") == await place.of_chunk("state", "job")


async def test_before_each_page_it_waits_for_live_that_lags(healer: Healer) -> None:
    place = healer.place
    await place.store(1, 2, 5, 9, 10)
    await place.open(2, 9)
    await place.connection.execute(
        "INSERT INTO batches VALUES (0, 0, 1, 1, '', clock_timestamp() - interval '2 hours')"
    )
    await healer.heal()
    assert [("closed", 2, 9)] == await place.gaps()
    assert 1 <= healer.desk.tally.yielded_seconds


async def test_missing_trades_are_fetched_and_only_they_are_new(healer: Healer) -> None:
    place = healer.place
    await place.store(1, 2, 5, 9, 10)
    gap = await place.open(2, 9)
    await healer.heal()
    assert list(map(content, place.trades[:10])) == await as_stored(place)
    assert [("closed", 2, 9)] == await place.gaps()
    assert 1.0 == await coverage(place, gap.from_ts, gap.to_ts)
    assert ("done", 1, 5) == await place.of_chunk("state", "requests", "stored")
    tally = healer.desk.tally
    assert (1, 6, 5, 1) == (tally.closed, tally.offered, tally.stored, tally.duplicates)


async def test_a_gap_is_told_to_heal_and_to_be_closed(healer: Healer) -> None:
    await healer.place.store(1, 5)
    await healer.place.open(1, 5)
    await healer.heal()
    assert ["healing", "closed"] == [json.loads(each.data)["state"] for each in healer.told]


async def test_short_pages_are_all_asked_for(healer: Healer) -> None:
    place = healer.place
    place.past.page = 3
    await place.store(1, 20)
    await place.open(1, 20)
    await healer.heal()
    assert list(range(1, 21)) == await place.stored()
    assert 6 == len(place.server.asked)


async def test_an_open_end_is_closed_by_a_complete_answer(healer: Healer) -> None:
    place = healer.place
    await place.store(1, 2)
    await place.open(2, None)
    await healer.heal()
    assert list(range(1, 41)) == await place.stored()
    assert [("closed", 2, None)] == await place.gaps()


async def test_an_open_end_takes_nothing_beyond_its_time(healer: Healer) -> None:
    place = healer.place
    await place.store(1, 2)
    await place.open(2, None, to_ts=place.trades[9].ts)
    await healer.heal()
    assert [
        1,
        2,
        *(t.trade_id for t in place.trades[2:] if t.ts < place.trades[9].ts),
    ] == await place.stored()


async def test_history_proves_nothing_of_the_time_after_it_was_asked(healer: Healer) -> None:
    place = healer.place
    healer.moment = place.trades[-1].ts
    await place.store(1, 2)
    gap = await place.open(2, None, to_ts=healer.moment + 20 * HOUR)
    await healer.heal()
    assert ([("closed", 2, None)], list(range(1, 41))) == (await place.gaps(), await place.stored())
    assert 1.0 == await coverage(place, gap.from_ts, healer.moment)
    assert 0.0 == await coverage(place, healer.moment + 2 * SECOND, gap.to_ts)


async def test_nothing_there_closes_a_gap(healer: Healer) -> None:
    place = healer.place
    await place.store(*range(1, 41))
    await place.open(40, None)
    await healer.heal()
    assert [("closed", 40, None)] == await place.gaps()


async def test_what_history_lacks_becomes_gaps_of_their_own_and_the_rest_closes(healer: Healer) -> None:
    place = healer.place
    place.past.lacking = {5, 6, 11}
    await place.store(1, 2, 20)
    gap = await place.open(2, 20)
    await healer.heal_to_the_end()
    expected = [("closed", 2, 20), ("unrecoverable", 4, 7), ("unrecoverable", 10, 12)]
    assert expected == await place.gaps()
    assert [n for n in range(1, 21) if n not in {5, 6, 11}] == await place.stored()
    found = await read(place.connection, Filters(states=[GapState.UNRECOVERABLE]), limit=9)
    bounds = [(each.from_ts, each.to_ts, each.cause) for each in found]
    assert [
        (place.trades[3].ts, place.trades[6].ts + 1, Cause.SEQUENCE),
        (place.trades[9].ts, place.trades[11].ts + 1, Cause.SEQUENCE),
    ] == bounds
    assert ["lacks trades 5 to 6", "lacks trade 11"] == [
        each.detail.partition("history ")[2] for each in found
    ]
    assert 0 < await coverage(place, gap.from_ts, gap.to_ts) < 1
    for number in place.past.lacking:
        lost = place.trades[number - 1].ts
        assert 0.0 == await coverage(place, lost, lost + 1)


async def test_what_history_lacks_is_asked_for_several_times(healer: Healer) -> None:
    place = healer.place
    place.past.lacking = {5}
    await place.store(1, 2, 20)
    await place.open(2, 20)
    await healer.heal()
    chunk = await place.chunk()
    assert ("waiting", 1, "") == tuple(chunk[name] for name in ("state", "rounds", "cursor"))
    assert [("healing", 2, 20)] == await place.gaps()
    place.past.lacking = set()
    await healer.heal_to_the_end()
    assert ([("closed", 2, 20)], list(range(1, 21))) == (await place.gaps(), await place.stored())


@pytest.mark.parametrize("before_id", [20, None])
async def test_history_that_ends_early_leaves_the_rest_unrecoverable(
    healer: Healer, before_id: int | None
) -> None:
    place = healer.place
    place.past.lacking = set(range(3, 11))
    await place.store(1, 2, 20)
    await place.open(2, before_id)
    await healer.heal_to_the_end()
    assert [("closed", 2, before_id), ("unrecoverable", 2, 11)] == await place.gaps()


async def test_history_that_has_nothing_makes_the_gap_itself_unrecoverable(healer: Healer) -> None:
    place = healer.place
    place.past.lacking = set(range(1, 41))
    await place.store(1, 2, 20)
    gap = await place.open(2, 20)
    await healer.heal_to_the_end()
    assert [("unrecoverable", 2, 20)] == await place.gaps()
    assert 0.0 == await coverage(place, gap.from_ts, gap.to_ts)


async def test_a_gap_that_live_narrows_meanwhile_is_healed_to_its_new_end(healer: Healer) -> None:
    place = healer.place
    place.past.moods = [Response("[]")]
    await place.store(1, 2)
    gap = await place.open(2, None, to_ts=place.trades[5].ts)
    chunk = await healer.claim()
    assert chunk is not None
    await place.store(12)
    narrowed = Finding(
        instrument_id=gap.instrument_id,
        kind="trades",
        cause=gap.cause,
        state=GapState.OPEN,
        from_ts=gap.from_ts,
        to_ts=place.trades[11].ts,
        after_id=2,
        before_id=12,
    )
    async with place.connection.transaction():
        await gaps.record(place.connection, [narrowed])
    await place.connection.execute("UPDATE chunks SET leased_by = NULL, leased_until = NULL")
    await healer.heal_to_the_end()
    assert ([("closed", 2, 12)], list(range(1, 13))) == (await place.gaps(), await place.stored())


async def test_a_gap_that_live_closed_meanwhile_needs_no_request(healer: Healer) -> None:
    place = healer.place
    await place.store(1, 2)
    await place.open(2, None)
    await place.connection.execute("UPDATE gaps SET state = 'closed'")
    await healer.heal()
    assert (True, []) == (await place.ended(), place.server.asked)


async def test_what_is_new_makes_its_seconds_dirty(healer: Healer) -> None:
    place = healer.place
    place.past.page = 7
    await place.store(1, 2, 35)
    await place.open(2, 35)
    await healer.heal()
    dirty = await place.connection.fetch("SELECT from_ts, to_ts FROM dirty")
    for trade in place.trades[2:34]:
        assert any(each["from_ts"] <= trade.ts < each["to_ts"] for each in dirty)


@pytest.mark.parametrize(
    ("mood", "detail", "attempts"),
    [
        (Response("slow down", 429, {"Retry-After": "1"}), "slow down", 0),
        (Response("Invalid symbol", 400), "Invalid symbol", 1),
        (Response("<html>"), "answered no trades", 1),
        (Response(b"[" * 100_000), "answered no trades", 1),
        (Response(b'[{"id":"\xff"}'), "answered no trades", 1),
    ],
)
async def test_a_venue_that_gives_no_page_is_asked_again_later(
    healer: Healer, mood: Response, detail: str, attempts: int
) -> None:
    place = healer.place
    place.past.moods = [mood]
    await place.store(1, 2, 9)
    await place.open(2, 9)
    await healer.heal()
    chunk = await place.chunk()
    assert ("waiting", None, attempts) == tuple(chunk[name] for name in ("state", "leased_by", "attempts"))
    assert detail in chunk["detail"]
    assert await healer.claim() is None
    await healer.heal_to_the_end()
    assert [("closed", 2, 9)] == await place.gaps()


async def test_a_venue_that_fails_is_asked_again_at_once(healer: Healer) -> None:
    place = healer.place
    place.past.moods = [Response("down", 503), Response("down", 500)]
    await place.store(1, 2, 9)
    await place.open(2, 9)
    await healer.heal()
    assert [("closed", 2, 9)] == await place.gaps()


@pytest.mark.parametrize(
    ("mood", "attempts"),
    [(Response("slow down", 429, {"Retry-After": "1"}), 0), (Response("<html>"), 1)],
)
async def test_a_venue_that_gives_no_more_pages_is_asked_on_from_where_it_stopped(
    healer: Healer, mood: Response, attempts: int
) -> None:
    place = healer.place
    place.past.page = 3
    place.past.moods = [None, None, mood]
    await place.store(1, 20)
    await place.open(1, 20)
    await place.connection.execute("UPDATE chunks SET attempts = 5")
    await healer.heal()
    assert ([*range(1, 8), 20], (attempts,)) == (await place.stored(), await place.of_chunk("attempts"))
    await healer.heal_to_the_end()
    assert (list(range(1, 21)), 7) == (await place.stored(), len(place.server.asked))


async def test_what_a_gap_gained_at_its_end_is_fetched_though_pages_go_downwards(healer: Healer) -> None:
    place = healer.place
    place.past.page = 3
    place.past.moods = [None, None, Response("<html>")]
    place.past.lacking = set(range(21, 41))
    gap = await place.open_unbounded(place.trades[19].ts + 1)
    await healer.heal()
    assert [1, 2, 3, 18, 19, 20] == await place.stored()
    place.past.lacking = {30}
    await place.connection.execute("UPDATE chunks SET rounds = 2")
    await place.record(msgspec.structs.replace(gap, to_ts=place.trades[39].ts + 1))
    await place.hurry()
    await healer.heal()
    assert ("waiting", 1) == await place.of_chunk("state", "rounds")
    place.past.lacking = set()
    await healer.heal_to_the_end()
    assert ([("closed", None, None)], list(range(1, 41))) == (await place.gaps(), await place.stored())


async def test_a_venue_at_no_address_is_asked_again_much_later(healer: Healer) -> None:
    place = healer.place
    await place.connection.execute("UPDATE feeds SET rest_url = 'http://localhost:abc'")
    await place.open(2, 9)
    await healer.heal()
    state, detail = await place.of_chunk("state", "detail")
    assert "waiting" == state
    assert "http://localhost:abc" in detail


async def test_a_row_that_cannot_be_stored_is_a_dead_letter_and_a_hole(healer: Healer) -> None:
    place = healer.place
    row = {"id": 4, "price": "much", "qty": "1", "time": BEGAN // 1000, "isBuyerMaker": True}
    place.past.lacking = {4}
    place.past.moods = [Response(json.dumps([row]))]
    await place.store(1, 2, 9)
    await place.open(2, 9)
    await healer.heal_to_the_end()
    assert [("closed", 2, 9), ("unrecoverable", 3, 5)] == await place.gaps()
    letters = await place.connection.fetch("SELECT reason, payload FROM dead_letters")
    assert [("not_a_number", row)] == [(each["reason"], json.loads(each["payload"])) for each in letters]


async def test_a_page_that_postgresql_refuses_is_asked_for_again_much_later(healer: Healer) -> None:
    place = healer.place
    await place.connection.execute("ALTER TABLE trades ADD CONSTRAINT no_5 CHECK (trade_id <> 5)")
    await place.open(2, 9)
    await healer.heal()
    state, attempts, detail = await place.of_chunk("state", "attempts", "detail")
    assert ("waiting", 1) == (state, attempts)
    assert "no_5" in detail
    assert await healer.claim() is None


async def test_a_protocol_without_ids_has_no_way_back(healer: Healer) -> None:
    place = healer.place
    await place.connection.execute("UPDATE exchanges SET name = 'kraken'")
    await feeds.offer(
        place.connection,
        [WantedFeed(exchange="kraken", symbol="BTC/USDT", protocol="v1", rest_url="http://x")],
    )
    await place.open(2, 9)
    await healer.heal()
    assert [("unrecoverable", 2, 9)] == await place.gaps()


async def test_what_is_not_listened_to_is_not_asked_for(healer: Healer) -> None:
    place = healer.place
    await place.open(2, 9)
    await feeds.remove(place.connection, [FeedName("binance", "BTC/USDT")])
    assert await healer.claim() is None


async def test_the_recent_past_of_a_feed_is_fetched_and_proven(healer: Healer) -> None:
    place = healer.place
    place.past.page = 10
    end = place.trades[29].ts
    await enqueue(place, end)
    await place.store(32)
    await healer.heal_to_the_end()
    assert list(range(1, 33)) == await place.stored()
    assert (1.0, []) == (await coverage(place, place.trades[0].ts, end), await place.gaps())
    assert 0.0 == await coverage(place, BEGAN, place.trades[0].ts)
    assert ("done", "done") == await place.of_chunk("state", "job")


async def test_the_first_trade_after_the_recent_past_shows_that_its_last_is_lacking(healer: Healer) -> None:
    place = healer.place
    place.past.lacking = {10}
    await place.store(11)
    await enqueue(place, place.trades[10].ts)
    await healer.heal_to_the_end()
    assert [("unrecoverable", 9, 11)] == await place.gaps()
    assert 0.0 == await coverage(place, place.trades[9].ts, place.trades[9].ts + 1)
    assert 1.0 == await coverage(place, place.trades[0].ts, place.trades[8].ts)


async def test_an_answer_that_lags_behind_is_asked_for_again(healer: Healer) -> None:
    place = healer.place
    place.past.lacking = {10}
    await place.store(11)
    await enqueue(place, place.trades[10].ts)
    await healer.heal()
    place.past.lacking = set()
    await healer.heal_to_the_end()
    assert (list(range(1, 12)), []) == (await place.stored(), await place.gaps())
    assert 1.0 == await coverage(place, place.trades[0].ts, place.trades[10].ts)


async def test_a_recent_past_is_not_proven_before_a_trade_comes_after_it(healer: Healer) -> None:
    place = healer.place
    place.past.lacking = {10}
    end = healer.moment = place.trades[10].ts
    await enqueue(place, end)
    await healer.heal()
    asked = len(place.server.asked)
    await look_again(healer)
    assert (list(range(1, 10)), asked) == (await place.stored(), len(place.server.asked))
    assert 0.0 == await coverage(place, BEGAN, end)
    place.past.lacking = set()
    await place.store(11)
    await healer.heal_to_the_end()
    assert (list(range(1, 12)), []) == (await place.stored(), await place.gaps())
    assert 1.0 == await coverage(place, place.trades[0].ts, end)


async def test_a_quiet_pairs_recent_past_is_proven_by_a_late_answer_and_its_next_trade_still_decides(
    healer: Healer,
) -> None:
    place = healer.place
    place.past.lacking = {10}
    end = healer.moment = place.trades[10].ts
    await enqueue(place, end)
    await healer.heal()
    healer.moment = end + 60 * SECOND
    await look_again(healer)
    assert 1.0 == await coverage(place, place.trades[0].ts, end)
    asked = len(place.server.asked)
    await look_again(healer)
    assert asked == len(place.server.asked)
    await place.store(11)
    await healer.heal_to_the_end()
    assert [("unrecoverable", 9, 11)] == await place.gaps()
    assert 0.0 == await coverage(place, place.trades[9].ts, end)


async def test_a_recent_past_is_proven_up_to_the_trade_that_showed_that_its_last_are_there(
    healer: Healer,
) -> None:
    place = healer.place
    await enqueue(place, place.trades[29].ts)
    await place.store(37)
    await healer.heal_to_the_end()
    assert (list(range(1, 38)), []) == (await place.stored(), await place.gaps())
    assert 1.0 == await coverage(place, place.trades[0].ts, place.trades[36].ts)


async def test_a_recent_past_without_any_trade_is_proven_by_a_late_answer(healer: Healer) -> None:
    place = healer.place
    place.past.trades = ()
    await enqueue(place, END)
    await healer.heal()
    assert (1.0, []) == (await coverage(place, BEGAN, END), await place.gaps())


async def enqueue(place: Place, to_ts: int) -> None:
    await jobs.enqueue_recent(place.connection, place.listed.instrument_id, BEGAN, to_ts)


async def look_again(healer: Healer) -> None:
    await healer.place.hurry()
    await healer.heal()
