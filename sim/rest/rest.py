"""What the simulated venue asks of an exchange's REST."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

import msgspec

from sim.ledger import Ledger


class Answer(msgspec.Struct, frozen=True):
    """An answer in JSON."""

    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = {}


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


def address_of(target: str) -> Address:
    """Return the parts of a path with its query."""
    parts = urlsplit(target)
    return Address(parts.path, dict(parse_qsl(parts.query)))


def json_of(value: object) -> bytes:
    """Return compact JSON."""
    return msgspec.json.encode(value)
