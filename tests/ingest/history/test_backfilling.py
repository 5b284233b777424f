"""A piece of a backfill is fetched by its time and proven, however often it is cut short."""

from itertools import pairwise

import pytest
from starlette.responses import Response

from db import proofs
from db.asked import NewPiece, enqueue_backfill
from db.history import gaps
from db.partitions import day_of
from db.proofs import read_coverage
from market.coverage import Proof
from market.gaps import GapState
from market.times import DAY, SECOND, floor
from tests.ingest.history.conftest import Healer
from tests.ingest.history.past import BEGAN, Place, tape

pytestmark = pytest.mark.slow

END = BEGAN + 10 * SECOND


async def ask(place: Place, *pieces: tuple[int, int]) -> int:
    """Ask for pieces of the tape, the newest first."""
    one = place.listed.instrument_id
    wanted = [NewPiece(one, from_ts, to_ts, 10) for from_ts, to_ts in sorted(pieces, reverse=True)]
    return await enqueue_backfill(place.connection, BEGAN, END, wanted)


def within(place: Place, from_ts: int, to_ts: int) -> list[int]:
    return [trade.trade_id for trade in place.trades if from_ts <= trade.ts < to_ts]


async def share(place: Place, from_ts: int, to_ts: int) -> float:
    one = place.listed.instrument_id
    return (await read_coverage(place.connection, [one], "trades", from_ts, to_ts))[one].share(from_ts, to_ts)


async def dirty(place: Place) -> list[tuple[int, int]]:
    rows = await place.connection.fetch("SELECT from_ts, to_ts FROM dirty ORDER BY from_ts")
    return [tuple(row) for row in rows]


async def test_a_piece_is_found_by_its_time_fetched_and_proven(healer: Healer) -> None:
    place = healer.place
    place.past.page = 4
    piece = (BEGAN + SECOND, BEGAN + 2 * SECOND)
    await ask(place, piece)
    await healer.heal()
    assert within(place, *piece) == await place.stored()
    assert 1.0 == await share(place, *piece)
    assert 0.0 == await share(place, BEGAN, piece[0])
    assert [piece] == await dirty(place)
    assert ("done", "done") == await place.of_chunk("state", "job")


async def test_a_search_for_a_beginning_goes_on_where_the_venue_refused_to_answer(healer: Healer) -> None:
    place = healer.place
    place.past.trades = tape(place.listed.instrument_id, 9_000)
    place.past.moods = [None, None, Response("slow down", 429, {"Retry-After": "1"})] * 50
    piece = (place.trades[4_500].ts, place.trades[4_600].ts)
    await ask(place, piece)
    for _ in range(20):
        if not await place.ended():
            await place.hurry()
            await healer.heal()
    assert within(place, *piece) == await place.stored()
    assert ("done", "done") == await place.of_chunk("state", "job")


async def test_pieces_that_touch_make_up_the_whole_tape(healer: Healer) -> None:
    place = healer.place
    cuts = [BEGAN + number * SECOND for number in (0, 1, 2, 4, 5)]
    await ask(place, *pairwise(cuts))
    await healer.heal_to_the_end()
    assert list(range(1, 41)) == await place.stored()
    assert 1.0 == await share(place, cuts[0], cuts[-1])
    assert [] == await place.gaps()


async def test_a_trade_lost_between_two_pieces_is_on_record_once(healer: Healer) -> None:
    place = healer.place
    cut = place.trades[20].ts
    place.past.lacking = {20, 21}
    await ask(place, (BEGAN, cut), (cut, BEGAN + 4 * SECOND))
    await healer.heal_to_the_end()
    assert [n for n in range(1, 40) if n not in {20, 21}] == [n for n in await place.stored() if n < 40]
    assert [("unrecoverable", 19, 22)] == await place.gaps()
    assert 0.0 == await share(place, place.trades[19].ts, place.trades[20].ts)


async def test_history_that_begins_late_is_on_record(healer: Healer) -> None:
    place = healer.place
    place.past.lacking = set(range(1, 8))
    await ask(place, (BEGAN, BEGAN + 2 * SECOND))
    await healer.heal_to_the_end()
    found = await gaps.read(place.connection, gaps.Filters(states=[GapState.UNRECOVERABLE]), limit=9)
    assert [(BEGAN, place.trades[7].ts)] == [(each.from_ts, each.to_ts) for each in found]
    assert 1.0 == await share(place, place.trades[7].ts, BEGAN + 2 * SECOND)


async def test_what_was_lost_and_is_there_again_closes_its_gap(healer: Healer) -> None:
    place = healer.place
    place.past.lacking = {10}
    await ask(place, (BEGAN, BEGAN + 2 * SECOND))
    await healer.heal_to_the_end()
    assert [("unrecoverable", 9, 11)] == await place.gaps()
    place.past.lacking = set()
    await ask(place, (place.trades[8].ts, place.trades[10].ts + 1))
    await healer.heal_to_the_end()
    assert [("closed", 9, 11)] == await place.gaps()
    assert 1.0 == await share(place, BEGAN, BEGAN + 2 * SECOND)


async def test_what_is_still_lost_is_not_on_record_twice(healer: Healer) -> None:
    place = healer.place
    place.past.lacking = {10}
    await ask(place, (BEGAN, BEGAN + 2 * SECOND))
    await healer.heal_to_the_end()
    await ask(place, (place.trades[8].ts, place.trades[10].ts + 1))
    await healer.heal_to_the_end()
    assert [("unrecoverable", 9, 11)] == await place.gaps()


async def test_a_trade_lost_before_what_live_proved_is_on_record(healer: Healer) -> None:
    place = healer.place
    await place.store(*range(20, 41))
    session = Proof(place.listed.instrument_id, "trades", place.trades[19].ts, END)
    await proofs.extend(place.connection, [session])
    place.past.lacking = {19}
    await ask(place, (BEGAN, place.trades[19].ts))
    await healer.heal_to_the_end()
    assert [("unrecoverable", 18, 20)] == await place.gaps()


async def test_trades_that_came_without_ids_bound_no_hole_and_fill_none(healer: Healer) -> None:
    place = healer.place
    piece = (BEGAN + SECOND, BEGAN + 2 * SECOND)
    around = [piece[0] - 1, piece[0] + 1, piece[1]]
    await place.connection.execute(
        "INSERT INTO trades (exchange_id, instrument_id, ts, trade_id, price, size, side, received_at) "
        "SELECT $1, $2, ts, -number, 1, 1, 0, ts "
        "FROM unnest($3::timestamptz[]) WITH ORDINALITY AS each (ts, number)",
        place.listed.exchange_id,
        place.listed.instrument_id,
        around,
    )
    proven = [Proof(place.listed.instrument_id, "trades", ts, ts + SECOND) for ts in (BEGAN, piece[1])]
    await proofs.extend(place.connection, proven)
    await ask(place, piece)
    await healer.heal()
    assert ("done", "done") == await place.of_chunk("state", "job")
    assert [] == await place.gaps()
    assert within(place, *piece) == [each for each in await place.stored() if each > 0]


async def test_a_piece_goes_on_where_it_was_cut_short(healer: Healer) -> None:
    place = healer.place
    place.past.page = 5
    await ask(place, (BEGAN, BEGAN + 5 * SECOND))
    place.past.moods = [None] * 5 + [Response(status_code=418, headers={"retry-after": "0"})]
    await healer.heal()
    partly, asked = await place.stored(), len(place.server.asked)
    assert 0 < len(partly) < 40
    await healer.heal_to_the_end()
    assert list(range(1, 41)) == await place.stored()
    assert f"fromId={partly[-1] + 1}&" in str(place.server.asked[asked].url) + "&"


async def test_a_venue_that_refuses_fails_the_job_in_the_end(healer: Healer) -> None:
    place = healer.place
    place.past.moods = [Response('{"msg":"Invalid symbol."}', status_code=400)] * 3
    await ask(place, (BEGAN, BEGAN + SECOND))
    await healer.heal_to_the_end()
    state, job, detail = await place.of_chunk("state", "job", "detail")
    assert (state, job) == ("failed", "failed")
    assert "Invalid symbol" in detail


async def test_a_piece_beyond_the_tape_is_proven_empty(healer: Healer) -> None:
    place = healer.place
    piece = (place.trades[-1].ts + SECOND, place.trades[-1].ts + 2 * SECOND)
    await ask(place, piece)
    await healer.heal()
    assert ([], 1.0, []) == (await place.stored(), await share(place, *piece), await dirty(place))


@pytest.mark.parametrize("spoiled", range(1, 9))
async def test_a_page_that_is_refused_midway_changes_nothing_in_the_end(healer: Healer, spoiled: int) -> None:
    place = healer.place
    place.past.page = 7
    place.past.moods = [None] * spoiled + [Response(status_code=429, headers={"retry-after": "0"})]
    await ask(place, (BEGAN, BEGAN + 2 * SECOND), (BEGAN + 2 * SECOND, BEGAN + 5 * SECOND))
    await healer.heal_to_the_end()
    assert list(range(1, 41)) == await place.stored()
    assert 1.0 == await share(place, BEGAN, BEGAN + 5 * SECOND)
    assert [] == await place.gaps()


async def test_days_that_were_dropped_beside_a_piece_are_no_hole(healer: Healer) -> None:
    place, day = healer.place, floor(BEGAN, DAY)
    await place.connection.execute(
        "INSERT INTO trades (exchange_id, instrument_id, ts, trade_id, price, size, side, received_at) "
        "VALUES ($1, $2, $3, 1, 1, 1, 0, $3)",
        place.listed.exchange_id,
        place.listed.instrument_id,
        BEGAN,
    )
    piece = (place.trades[20].ts, END)
    await proofs.extend(place.connection, [Proof(place.listed.instrument_id, "trades", day, piece[0])])
    await place.connection.execute(
        "INSERT INTO dropped_days SELECT $1, 'trades', $2, tstzmultirange(tstzrange($3, $4))",
        place.listed.instrument_id,
        day_of(day),
        BEGAN + 1,
        piece[0],
    )
    await ask(place, piece)
    await healer.heal_to_the_end()
    assert [] == await place.gaps()
