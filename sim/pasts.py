"""What was traded before a made-up tape begins: any number of trades, made when they are asked for."""

from collections.abc import Sequence
from math import sin
from typing import Final, NamedTuple, overload

from market.errors import InvalidInputError
from market.times import SECOND
from sim.ledger import MICROSECOND, Fill

_MILLISECOND: Final = 1000
"""In microseconds: what the coarsest venue tells."""

_AT_ONE_TIME: Final = 3
_WAVE: Final = 20_000
_MIX: Final = 0x9E3779B97F4A7C15
_BITS: Final = 64


class Length(NamedTuple):
    """How much past there is: trades of each symbol, so many a second."""

    trades: int = 0
    per_second: float = 50.0

    def checked(self) -> "Length":
        """Return this; raises InvalidInputError for what cannot be."""
        if self.trades < 0 or not self.per_second > 0:
            message = f"a past of {self.trades} trades at {self.per_second} a second cannot be made up"
            raise InvalidInputError(message)
        return self


class Past(Sequence[Fill]):
    """The trades of one symbol up to a moment, numbered without holes up to an id; the same each time."""

    def __init__(self, length: Length, ends_at: int, last_id: int, price: float, decimals: int) -> None:
        """End before ``ends_at``, microseconds, with the trade ``last_id``, around a price."""
        self._trades = length.trades
        self._spacing = SECOND / length.per_second
        self._ends_at = ends_at
        self._first_id = last_id - length.trades + 1
        self._price = price
        self._decimals = decimals

    def __len__(self) -> int:
        return self._trades

    @overload
    def __getitem__(self, place: int) -> Fill: ...
    @overload
    def __getitem__(self, place: slice) -> list[Fill]: ...
    def __getitem__(self, place: int | slice) -> Fill | list[Fill]:
        if isinstance(place, slice):
            return [self._fill(each) for each in range(*place.indices(self._trades))]
        return self._fill(range(self._trades)[place])

    def _fill(self, place: int) -> Fill:
        number = self._first_id + place
        chance = (number * _MIX) % 2**_BITS
        price = self._price * (1 + 0.02 * sin(place / _WAVE) + (chance % 200 - 100) * 1e-6)
        size = 0.001 + (chance >> 32) % 10_000 / 10_000
        side = "sell" if chance >> 63 else "buy"
        return Fill(number, self._ns(place), f"{price:.{self._decimals}f}", f"{size:.5f}", side)

    def _ns(self, place: int) -> int:
        """Return the time: some trades share one."""
        before = (self._trades - place + place % _AT_ONE_TIME) * self._spacing
        return int((self._ends_at - before) // _MILLISECOND * _MILLISECOND) * MICROSECOND
