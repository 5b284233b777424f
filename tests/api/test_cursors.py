"""Cursors and moments, as they come from outside."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import cursors, moments
from api.cursors import Int32, Int64, Ts
from market.errors import InvalidInputError
from market.times import to_iso

Key: Any = tuple[Ts, Int32, str, Int64]

KEYS = st.tuples(
    st.integers(0, 2**53), st.integers(-(2**31), 2**31 - 1), st.text(), st.integers(-(2**63), 2**63 - 1)
)


@given(KEYS)
def test_a_cursor_gives_back_its_key(key: tuple[int, int, str, int]) -> None:
    assert key == cursors.decode("signals", cursors.encode("signals", key), Key)


@given(KEYS)
def test_a_cursor_is_made_of_characters_that_urls_leave_alone(key: tuple[int, int, str, int]) -> None:
    assert cursors.encode("signals", key).replace("-", "").replace("_", "").isalnum()


@given(st.text())
def test_any_other_text_is_refused_as_input(text: str) -> None:
    with pytest.raises(InvalidInputError):
        cursors.decode("signals", text, Key)


@pytest.mark.parametrize("key", [(1, 2, "a", 2**63), (-1, 2, "a", 1), (1, 2, "a"), (1, 2**40, "a", 1)])
def test_a_key_that_no_row_can_have_is_refused(key: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInputError):
        cursors.decode("signals", cursors.encode("signals", key), Key)


def test_a_cursor_is_bound_to_its_history() -> None:
    with pytest.raises(InvalidInputError):
        cursors.decode("trades", cursors.encode("signals", (1, 2, "a", 3)), Key)


@given(st.integers(1_230_768_000_000_000, 4_102_444_800_000_000))
def test_a_moment_in_iso_or_microseconds_is_exact(ts: int) -> None:
    assert (ts, ts) == (moments.parse(to_iso(ts)), moments.parse(str(ts)))


@pytest.mark.parametrize(
    "text", ["", "yesterday", "1", "-5", "99999999999999999999", "2026-13-01", "1e9", "١٢٣"]
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        moments.parse(text)
