"""What the simulated venue asks of an exchange's protocol."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

import msgspec

from market.instruments import Market
from sim.ledger import Fill

Json: TypeAlias = Any
"""Parsed JSON of any shape: what a recording holds is not trusted."""


class Topic(NamedTuple):
    """What a frame belongs to and a connection subscribes to: a feed of one venue symbol."""

    feed: str
    symbol: str


Topics = Mapping[Topic, str]
"""What a connection has subscribed to, with the name it asked by."""


class Reply(msgspec.Struct, frozen=True):
    """What is sent back for a request, and the connection's topics after it.

    ``unopened`` are new ones of which only news is wanted, not what is known already.
    """

    messages: tuple[str, ...]
    topics: Topics
    unopened: frozenset[Topic] = frozenset()


class SnapshotRequest(NamedTuple):
    """A book asked for by REST: at most ``limit`` levels a side."""

    symbol: str
    limit: int


class VenueProtocol(Protocol):
    """One exchange's own way to talk, without state. ``target`` is a path with its query."""

    name: str

    def topic(self, message: Json) -> Topic | None:
        """Return what a recorded message belongs to; None for what the venue says by itself."""

    def market(self, message: Json) -> Market:
        """Return the market of a message that has a topic; InvalidInputError where we know none."""

    def fills(self, message: Json) -> Sequence[Fill]:
        """Return the trades in a message that has a topic; all are of its symbol."""

    def is_snapshot(self, message: Json) -> bool:
        """Tell whether a message without a topic is the book that REST answers with."""

    def word(self, symbol: str, market: Market) -> str:
        """Return our symbol of the venue's."""

    def version(self, known: Collection[Topic]) -> str | None:
        """Return the protocol's version that a tape with these topics is in; None where there is only one."""

    def topics_of(self, target: str) -> Topics | None:
        """Return what connecting to ``target`` subscribes to; None where no socket is."""

    def greetings(self, target: str) -> tuple[str, ...]:
        """Return what is said first to who connects to ``target``."""

    def answer(self, text: str, topics: Topics, known: Collection[Topic], now: int) -> Reply:
        """Answer a request of a connection that has ``topics``, at a venue that has the ``known`` ones.

        ``now`` is in microseconds, here and below.
        """

    def heartbeats(self, topics: Topics, now: int) -> tuple[str, ...]:
        """Return what a connection with ``topics`` hears every second."""

    def snapshot_request(self, target: str) -> SnapshotRequest | None:
        """Return which book ``target`` asks for; None where no book is."""


def dumps(message: object) -> str:
    """Return compact JSON, as venues send it."""
    return msgspec.json.encode(message).decode()
