"""Pages of history: a half-open range of time, and a keyset cursor."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

Key = tuple[Any, ...]
"""The values of a table's ordering columns in one row."""

_Row = TypeVar("_Row")


class Shape(NamedTuple):
    """What the statement of a page depends on: its bounds, its way, and whether it is of one instrument."""

    begins: bool
    ends: bool
    continues: bool
    newest_first: bool
    single: bool


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a history: [from_ts, to_ts) in microseconds, beyond the row ``after``, ``limit`` rows."""

    from_ts: int | None = None
    to_ts: int | None = None
    after: Key | None = None
    newest_first: bool = False
    limit: int

    def shape(self, instrument_ids: Sequence[int]) -> Shape:
        """Return what a statement about these instruments depends on."""
        bounds = self.from_ts is not None, self.to_ts is not None, self.after is not None
        return Shape(*bounds, self.newest_first, len(instrument_ids) == 1)

    def values(self, instrument_ids: Sequence[int]) -> dict[str, Any]:
        """Return what such a statement is asked with, by the names of its parameters."""
        after = {after_name(place): value for place, value in enumerate(self.after or ())}
        ids = {"instrument_id": instrument_ids[0]} if len(instrument_ids) == 1 else {"ids": instrument_ids}
        return {"from_ts": self.from_ts, "to_ts": self.to_ts, "limit": self.limit, **after, **ids}

    def of(self, rows: Sequence[_Row], key: Callable[[_Row], Key]) -> list[_Row]:
        """Return the part of rows in memory that this window shows; they are in the order of their key."""
        directed = reversed(rows) if self.newest_first else rows
        beyond = [row for row in directed if self.after is None or self._is_beyond(key(row), self.after)]
        return beyond[: self.limit]

    def _is_beyond(self, key: Key, after: Key) -> bool:
        return key < after if self.newest_first else key > after


def after_name(place: int) -> str:
    """Return the parameter that holds this value of the row which a page goes on beyond."""
    return f"after_{place}"
