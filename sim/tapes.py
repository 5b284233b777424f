"""What a venue plays: frames in their order, and what is known about them before the first is sent."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from market.errors import InvalidInputError
from market.instruments import Market
from sim.ledger import Fill
from sim.messages import Message, parsed
from sim.offered import NOTHING, count
from sim.protocols.protocol import Topic, VenueProtocol
from sim.recordings import Answer, Frame, read_all


class Contents(msgspec.Struct, frozen=True):
    """What a tape holds: ``topics`` are those with trades, quotes, or depths.

    ``pasts`` are trades from before it, by venue symbol.
    """

    market: Market
    topics: frozenset[Topic]
    pasts: Mapping[str, Sequence[Fill]] = {}

    @property
    def venue_symbols(self) -> tuple[str, ...]:
        """Return the venue's symbols in alphabetical order."""
        return tuple(sorted({topic.symbol for topic in self.topics}))


class Tape(Protocol):
    """A source of frames that can be played once from the start."""

    contents: Contents
    waits: bool
    """Whether the tape stands still while nobody listens, and waits for slow readers."""

    def frames(self) -> Iterator[Frame]:
        """Yield the frames, each with the time at which it is due."""

    def snapshot(self, symbol: str) -> bytes | None:
        """Return the book that REST answers with for a venue symbol."""

    def opening(self, topic: Topic) -> Sequence[Message]:
        """Return what who subscribes to a topic is told first."""


class RecordedTape:
    """Recordings of one venue, as one tape; they are read once through to know what they hold."""

    waits = True

    def __init__(self, venue: VenueProtocol, paths: Iterable[Path]) -> None:
        """Survey the files; raises InvalidInputError for what cannot be played."""
        self._venue = venue
        self._paths = tuple(paths)
        self._snapshots: Mapping[str, bytes] = {}
        self.contents = self._survey()

    def frames(self) -> Iterator[Frame]:
        """Yield what was received on sockets; books answered by REST are left out."""
        for record in read_all(self._paths):
            if isinstance(record, Frame) and not self._is_snapshot(record):
                yield record

    def snapshot(self, symbol: str) -> bytes | None:
        """Return the first recorded book of the symbol."""
        return self._snapshots.get(symbol)

    def opening(self, topic: Topic) -> Sequence[Message]:  # noqa: ARG002 - it is among the frames
        """Return nothing: what was told first is played like all else."""
        return ()

    def _is_snapshot(self, frame: Frame) -> bool:
        """Tell a book quickly: its own field stands at the front, in no other message."""
        return b"lastUpdateId" in frame.text[:20] and self._venue.is_snapshot(parsed(frame.text))

    def _survey(self) -> Contents:
        survey = _Survey(self._venue)
        for record in read_all(self._paths):
            if isinstance(record, Answer):
                survey.answered(record)
            else:
                survey.received(record)
        self._snapshots = survey.all_snapshots()
        return survey.contents(self._paths)


class _Survey:
    """Gather what a recording holds."""

    def __init__(self, venue: VenueProtocol) -> None:
        self._venue = venue
        self._topics: set[Topic] = set()
        self._markets: set[Market] = set()
        self._symbols: dict[str, set[str]] = defaultdict(set)
        self._snapshots: dict[str, bytes] = {}
        self._unnamed: dict[str, bytes] = {}

    def answered(self, answer: Answer) -> None:
        """Keep a book whose address names its symbol."""
        address = urlsplit(answer.url)
        request = self._venue.snapshot_request(f"{address.path}?{address.query}")
        if request is not None:
            self._snapshots.setdefault(request.symbol, answer.text)

    def received(self, frame: Frame) -> None:
        """Note the topic of a frame with ticks, or keep a book that was written among the frames."""
        message = parsed(frame.text)
        topic = self._venue.topic(message)
        if topic is None:
            if self._venue.is_snapshot(message):
                self._unnamed.setdefault(frame.source, frame.text)
        elif count(self._venue.name, message) != NOTHING:
            self._topics.add(topic)
            self._markets.add(self._venue.market(message))
            self._symbols[frame.source].add(topic.symbol)

    def all_snapshots(self) -> dict[str, bytes]:
        """Return books by symbol; one without a name is of the only symbol in its file."""
        for source, text in self._unnamed.items():
            if len(self._symbols[source]) != 1:
                message = (
                    f"{source} holds a book of one of {sorted(self._symbols[source])}; split it by symbol"
                )
                raise InvalidInputError(message)
            self._snapshots.setdefault(next(iter(self._symbols[source])), text)
        return self._snapshots

    def contents(self, paths: Iterable[Path]) -> Contents:
        """Return what was gathered."""
        files = ", ".join(map(str, paths))
        if not self._topics:
            message = f"{files}: no trade, quote, or depth of {self._venue.name}; check the venue's name"
            raise InvalidInputError(message)
        if len(self._markets) > 1:
            message = f"{files}: spot and swap share symbols; give each market a venue of its own"
            raise InvalidInputError(message)
        return Contents(self._markets.pop(), frozenset(self._topics))
