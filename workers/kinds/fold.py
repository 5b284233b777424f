"""What every kind of signal is: a pure left fold over one instrument's bars or depths."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import msgspec

from market.gaps import DEPTHS, TRADES
from market.signals import Signal

State = TypeVar("State")
Item_contra = TypeVar("Item_contra", contravariant=True)


class Input(StrEnum):
    """What a kind is stepped with: each closed bar of one second, or each depth."""

    BARS = "bars"
    DEPTH = "depth"

    @property
    def source(self) -> str:
        """Return of which ticks it consists."""
        return DEPTHS if self is Input.DEPTH else TRADES


class Memory(msgspec.Struct, frozen=True):
    """How far back a kind looks, exactly.

    A signal at ``t`` is a function of the items in (t - span, t] and of the ``items`` items before
    those, alone; ``span`` is in microseconds. Whatever lies further back changes nothing.
    """

    items: int
    span: int


class Fold(Protocol[State, Item_contra]):
    """One kind of signal.

    A state is never changed: ``step`` returns another one, so that an older state costs nothing to keep.
    Items come in the order of the tape. ``version`` counts changes of the formula or the parameters.
    """

    @property
    def kind(self) -> str:
        """Return the name that its signals carry."""

    @property
    def version(self) -> int:
        """Return the version that its signals carry."""

    @property
    def parameters(self) -> Mapping[str, float]:
        """Return every number that was chosen, by name."""

    @property
    def memory(self) -> Memory:
        """Return how far back it looks."""

    @property
    def input(self) -> Input:
        """Return what it is stepped with."""

    @property
    def state_type(self) -> type[State]:
        """Return the type that its stored state is decoded as."""

    def start(self) -> State:
        """Return the state before the first item."""

    def step(self, state: State, item: Item_contra, /) -> tuple[State, Signal | None]:
        """Return the state after ``item``, and the signal that ``item`` decided, if any."""


AnyFold = Fold[Any, Any]


class Kind(msgspec.Struct, frozen=True):
    """A fold whose fields are its parameters."""

    @property
    def parameters(self) -> Mapping[str, float]:
        """Return every number that was chosen, by name."""
        return msgspec.structs.asdict(self)
