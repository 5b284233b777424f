"""The trades that a venue has executed: its true tape, and what its own history still knows of it."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

REMEMBERED = 1_000_000
"""Trades kept of each symbol; beyond them the oldest are given up."""

_SLACK = 0.25
"""How far the bound may be passed before the oldest are given up together."""

MICROSECOND = 1000
"""In nanoseconds."""


class Fill(NamedTuple):
    """One executed trade: prices and sizes as the venue writes them, ``side`` is the taker's, buy or sell.

    ``trade_id`` is None where the venue does not number its trades.
    """

    trade_id: int | None
    ns: int
    price: str
    size: str
    side: str

    @property
    def ts(self) -> int:
        """Return the time in microseconds."""
        return self.ns // MICROSECOND


class Trades:
    """The trades of one symbol in the order of their ids, or as they came where there are none."""

    def __init__(self, remembered: int = REMEMBERED, past: Sequence[Fill] = ()) -> None:
        """Keep so many at most, after a past whose trades are numbered without holes, before all others."""
        self._remembered = remembered
        self._past = past
        self._ids: list[int] = []
        self._fills: list[Fill] = []
        self._forgotten: set[int] = set()
        self.numbered = True

    def record(self, fill: Fill) -> int:
        """Add a trade; one whose id is known already is the same trade. Return its id here."""
        number = self._number(fill)
        at = len(self._ids) if not self._ids or number > self._ids[-1] else bisect_left(self._ids, number)
        if at == len(self._ids) or self._ids[at] != number:
            self._ids.insert(at, number)
            self._fills.insert(at, fill)
            self._give_up_the_oldest()
        return number

    def forget(self, number: int) -> None:
        """Let the venue's history lack a trade for ever."""
        self._forgotten.add(number)

    def tape(self, after: int = -1, limit: int | None = None) -> list[tuple[int, Fill, bool]]:
        """Return the true tape after an id: each trade's id, the trade, and whether history knows it."""
        first = self._place(after + 1)
        last = len(self) if limit is None else min(first + limit, len(self))
        numbered = ((self._id(place), self._at(place)) for place in range(first, last))
        return [(number, fill, number not in self._forgotten) for number, fill in numbered]

    def history(self, first: int, limit: int) -> list[Fill]:
        """Return what history knows from an id on, the oldest first."""
        return self._known(range(self._place(first), len(self)), limit)

    def latest(self, limit: int, before: int | None = None) -> list[Fill]:
        """Return what history knows before an id, or at all: the newest, the oldest of them first."""
        end = len(self) if before is None else self._place(before)
        return self._known(range(end - 1, -1, -1), limit)[::-1]

    def since(self, ns: int, limit: int) -> list[Fill]:
        """Return what history knows of later than a time, the oldest first."""
        first = bisect_right(self._past, ns, key=_time)
        if first == len(self._past):
            first += bisect_right(self._fills, ns, key=_time)
        return self._known(range(first, len(self)), limit)

    def __len__(self) -> int:
        return len(self._past) + len(self._ids)

    def _place(self, number: int) -> int:
        """Return how many trades there are before an id."""
        if self._past and number <= (self._past[-1].trade_id or 0):
            return max(number - (self._past[0].trade_id or 0), 0)
        return len(self._past) + bisect_left(self._ids, number)

    def _id(self, place: int) -> int:
        if place < len(self._past):
            return self._past[place].trade_id or 0
        return self._ids[place - len(self._past)]

    def _at(self, place: int) -> Fill:
        return self._past[place] if place < len(self._past) else self._fills[place - len(self._past)]

    def _known(self, places: Iterable[int], limit: int) -> list[Fill]:
        found: list[Fill] = []
        for place in places:
            if len(found) == limit:
                break
            if self._id(place) not in self._forgotten:
                found.append(self._at(place))
        return found

    def _number(self, fill: Fill) -> int:
        if fill.trade_id is not None:
            return fill.trade_id
        self.numbered = False
        return self._ids[-1] + 1 if self._ids else 1

    def _give_up_the_oldest(self) -> None:
        if len(self._ids) > self._remembered * (1 + _SLACK):
            surplus = len(self._ids) - self._remembered
            self._forgotten.difference_update(self._ids[:surplus])
            del self._ids[:surplus], self._fills[:surplus]
            self._past = ()


_NO_PASTS: Mapping[str, Sequence[Fill]] = {}


def _never(_symbol: str) -> bool:
    return False


class Ledger:
    """The trades of all symbols of a venue."""

    def __init__(
        self,
        symbols: Iterable[str],
        remembered: int = REMEMBERED,
        pasts: Mapping[str, Sequence[Fill]] = _NO_PASTS,
    ) -> None:
        """Keep so many of each symbol at most, after its past; the symbols are the venue's."""
        self._trades = {symbol: Trades(remembered, pasts.get(symbol, ())) for symbol in symbols}

    def record(self, symbol: str, fills: Sequence[Fill], forgets: Callable[[str], bool] = _never) -> None:
        """Add what was executed; ask of each trade whether history shall lack it."""
        trades = self._trades[symbol]
        for fill in fills:
            number = trades.record(fill)
            if forgets(symbol):
                trades.forget(number)

    @property
    def symbols(self) -> Iterable[str]:
        """Return the venue's symbols."""
        return self._trades

    def of(self, symbol: str) -> Trades | None:
        """Return the trades of a symbol; None for one that is not traded here."""
        return self._trades.get(symbol)


def _time(fill: Fill) -> int:
    return fill.ns
