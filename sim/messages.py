"""A message that a venue is about to send, and what is known of it."""

import json
from collections.abc import Sequence

from sim.ledger import Fill
from sim.offered import NOTHING, Offered, count
from sim.protocols.protocol import Json, Topic, VenueProtocol
from sim.recordings import Frame


class Message(Frame, frozen=True):
    """A frame with its topic, the ticks that it offers, and the trades that it tells.

    ``readable`` is whether it is JSON; what is not goes to everybody.
    """

    topic: Topic | None = None
    offered: Offered = NOTHING
    fills: Sequence[Fill] = ()
    readable: bool = True

    def garbled(self, text: bytes) -> "Message":
        """Return it with a text that is no JSON, to those who would have got it."""
        return Message(self.recorded_at, text, self.source, self.topic, readable=False)


def parsed(text: bytes) -> Json:
    """Return the message in a frame, its fractions as they are written, or None for what is no JSON."""
    try:
        return json.loads(text, parse_float=str)
    except ValueError:
        return None


def understood(venue: VenueProtocol, frame: Frame) -> Message:
    """Return a frame with what its text says; one that was made up knows it already."""
    if isinstance(frame, Message):
        return frame
    value = parsed(frame.text)
    topic = venue.topic(value)
    fills = _fills(venue, value) if topic else ()
    offered = count(venue.name, value)
    return Message(frame.recorded_at, frame.text, frame.source, topic, offered, fills, value is not None)


def _fills(venue: VenueProtocol, value: Json) -> Sequence[Fill]:
    try:
        return venue.fills(value)
    except ValueError:  # trades whose time cannot be read are played as they are, and are on no tape
        return ()
