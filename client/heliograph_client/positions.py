"""Where a stream was left, to come back to after the program itself was away."""

from collections.abc import Iterator

import msgspec

from heliograph_client.decoding import decoded

WILDCARD = "*"


class Position(msgspec.Struct, kw_only=True):
    """The last offset of each stream that was given, and of which log they are.

    ``channels`` are those that were followed: of a wildcard among them, a stream without an offset was
    listed since.
    """

    epoch: str | None = None
    offsets: dict[str, int] = {}
    channels: list[str] = []

    def to_json(self) -> str:
        """Return the position as text, to be kept."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "Position":
        """Return the position that was kept; raises ProtocolError."""
        return decoded(text, cls)

    def copied(self) -> "Position":
        """Return the position as another that changes by itself."""
        return Position(epoch=self.epoch, offsets=dict(self.offsets), channels=list(self.channels))

    def after(self, channel: str) -> int | dict[str, int] | None:
        """Return what to resume a channel from; None: it is followed from what comes next."""
        if not is_wild(channel):
            return self.offsets.get(channel)
        inside = {name: self.offsets[name] for name in self._inside(channel)}
        return inside if inside or channel in self.channels else None

    def forget(self, channel: str) -> None:
        """Forget the offsets of a channel."""
        for name in list(self._inside(channel)):
            del self.offsets[name]

    def _inside(self, channel: str) -> Iterator[str]:
        return (name for name in self.offsets if matches(channel, name))


def is_wild(channel: str) -> bool:
    """Tell whether a channel names more than one stream."""
    return WILDCARD in _parts(channel)


def matches(channel: str, name: str) -> bool:
    """Tell whether the stream ``name`` is among those that ``channel`` names."""
    asked, given = _parts(channel), _parts(name)
    return asked[0] == given[0] and all(
        one in (WILDCARD, other) for one, other in zip(asked[1:], given[1:], strict=True)
    )


def _parts(channel: str) -> tuple[str, str, str]:
    """Return family, exchange, and symbol, which may contain colons; ``family:*`` is all of it."""
    family, _, rest = channel.partition(":")
    exchange, _, symbol = rest.partition(":")
    return family, exchange, symbol or (WILDCARD if exchange == WILDCARD else "")
