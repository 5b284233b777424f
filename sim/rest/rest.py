"""What the simulated venue asks of an exchange's REST."""

from collections.abc import Mapping
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

import msgspec

from sim.ledger import Ledger
from sim.wire.http import Answer


class Address(msgspec.Struct, frozen=True):
    """What is asked for."""

    path: str
    query: Mapping[str, str]

    def number(self, name: str) -> int | None:
        """Return a whole number of the query; None where it is missing or no number."""
        text = self.query.get(name, "")
        return int(text) if text.isascii() and text.isdigit() else None


class VenueRest(Protocol):
    """One exchange's REST over its trades."""

    def answer(self, address: Address, ledger: Ledger, now: int) -> Answer | None:
        """Answer with trades; None where the address is not of trades. ``now`` is in microseconds."""

    def limited(self, now: int) -> Answer:
        """Answer that there were too many requests."""


def address_of(target: str) -> Address:
    """Return the parts of a path with its query."""
    parts = urlsplit(target)
    return Address(parts.path, dict(parse_qsl(parts.query)))
