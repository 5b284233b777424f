"""Cursors and moments, as they come from outside."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import moments
from api.cursors import Cursors, Int32, Int64, Ts
from api.settings import ApiSettings
from market.errors import InvalidInputError
from market.times import to_iso
from tests.api.peers import FAR_AWAY, Served, Worker, serving
from tests.api.ticks import T, add_trades, unpartitioned

Key: Any = tuple[Ts, Int32, str, Int64]

KEYS = st.tuples(
    st.integers(0, 2**53), st.integers(-(2**31), 2**31 - 1), st.text(), st.integers(-(2**63), 2**63 - 1)
)
CURSORS = Cursors(b"a key of a database")


@given(KEYS)
def test_a_cursor_gives_back_its_key(key: tuple[int, int, str, int]) -> None:
    assert key == CURSORS.decode("signals", CURSORS.encode("signals", key), Key)


@given(KEYS)
def test_a_cursor_is_made_of_characters_that_urls_leave_alone(key: tuple[int, int, str, int]) -> None:
    assert CURSORS.encode("signals", key).replace("-", "").replace("_", "").isalnum()


@given(st.text())
def test_any_other_text_is_refused_as_input(text: str) -> None:
    with pytest.raises(InvalidInputError):
        CURSORS.decode("signals", text, Key)


@given(KEYS, st.data())
def test_a_cursor_with_another_bit_is_refused(key: tuple[int, int, str, int], data: st.DataObject) -> None:
    text = CURSORS.encode("signals", key)
    raw = bytearray(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InvalidInputError):
        CURSORS.decode("signals", urlsafe_b64encode(raw).decode(), Key)


@pytest.mark.parametrize("key", [(1, 2, "a", 2**63), (-1, 2, "a", 1), (1, 2, "a"), (1, 2**40, "a", 1)])
def test_a_key_that_no_row_can_have_is_refused(key: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInputError):
        CURSORS.decode("signals", CURSORS.encode("signals", key), Key)


def test_a_cursor_is_bound_to_its_question_and_its_database() -> None:
    cursor = CURSORS.encode("signals", (1, 2, "a", 3))
    for cursors, about in ((CURSORS, "trades"), (Cursors(b"another key"), "signals")):
        with pytest.raises(InvalidInputError):
            cursors.decode(about, cursor, Key)


async def test_another_process_goes_on_where_one_left_off_but_only_with_the_same_question(
    served: Served, worker: Worker, settings: ApiSettings, postgres_url: str
) -> None:
    await unpartitioned(worker.connection)
    [sol] = await worker.instruments("SOL/USD")
    await add_trades(worker.connection, sol, *((T, n) for n in range(4)))
    asked: dict[str, str | int] = {"exchange": "kraken", "symbol": "SOL/USD", "from": str(T)}
    page = await served.get("/v1/trades", **asked, limit=2)
    async with serving(settings, postgres_url, FAR_AWAY) as other:
        rest = await other.get("/v1/trades", **asked, limit=3, cursor=page["next"])
        changed = {**asked, "from": str(T - 1), "cursor": page["next"]}
        refused = await other.http.get("/v1/trades", params=changed)
    assert ["0", "1", "2", "3"] == [row["trade_id"] for row in page["data"] + rest["data"]]
    assert (422, "cursor") == (refused.status_code, refused.json()["errors"][0]["where"])


@given(st.integers(1_230_768_000_000_000, 4_102_444_800_000_000))
def test_a_moment_in_iso_or_microseconds_is_exact(ts: int) -> None:
    assert (ts, ts) == (moments.parse(to_iso(ts)), moments.parse(str(ts)))


@pytest.mark.parametrize(
    "text", ["", "yesterday", "1", "-5", "99999999999999999999", "2026-13-01", "1e9", "١٢٣"]
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        moments.parse(text)
