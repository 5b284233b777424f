"""What a fault can do to a venue."""

from collections.abc import Iterable
from random import Random
from typing import Any, ClassVar, Literal, Protocol

import msgspec

from sim.messages import Message
from sim.wire.connections import Connection


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a kind of fault can be told; most can be told what to strike."""


class Aim(Parameters, frozen=True):
    """One symbol, one kind of tick; all where nothing is said."""

    symbol: str = ""
    feed: Literal["", "trades", "quotes", "depths"] = ""

    def hits(self, message: Message) -> bool:
        """Tell whether a message is aimed at; what the venue says by itself never is."""
        if message.topic is None or not self.means(message.topic.symbol):
            return False
        return not self.feed or getattr(message.offered, self.feed) > 0

    def means(self, symbol: str) -> bool:
        """Tell whether a venue symbol is aimed at: BTC/USDT means BTCUSDT and BTC-USDT too."""
        return not self.symbol or _letters(self.symbol) == _letters(symbol)


class Circumstances(msgspec.Struct, frozen=True):
    """Where chance comes from, and for how long a fault was ordered; None: nothing was said."""

    random: Random
    seconds: float | None = None


class Fault(Protocol):
    """One fault while it lasts: asked at each place where it could strike, and by default it does not."""

    kind: ClassVar[str]
    expected: ClassVar[str]
    """What should happen on the other side."""
    takes: ClassVar[type[Parameters]]
    lasts_seconds: ClassVar[float]
    """How long it lasts where nothing was said; 0: it is over when it has begun."""
    refuses: ClassVar[bool] = False
    """Whether new sockets are refused while it lasts."""

    touched: int = 0
    """How many frames, trades, connections, or requests were struck."""

    def __init__(self, parameters: Any, circumstances: Circumstances) -> None:  # noqa: ANN401 - of ``takes``
        """Take what to strike."""

    @property
    def done(self) -> bool:
        """Tell whether it has struck all that it was to strike."""
        return False

    def passed(self, message: Message, now: int) -> Iterable[Message]:  # noqa: ARG002
        """Return what is sent in place of a message; ``now`` is in microseconds."""
        return (message,)

    def released(self, now: int) -> Iterable[Message]:  # noqa: ARG002
        """Return what was held back and is due."""
        return ()

    def left(self) -> Iterable[Message]:
        """Return what is held back when the fault ends."""
        return ()

    def forgets(self, symbol: str) -> bool:  # noqa: ARG002
        """Tell whether history shall lack a trade that is executed now."""
        return False

    def meets(self, connection: Connection) -> None:
        """Strike a connection: one that is open when the fault begins, or opens while it lasts."""

    def limits(self) -> bool:
        """Tell whether a request to history is one too many."""
        return False

    def holds_seconds(self) -> float:
        """Return how long a request to history waits."""
        return 0.0


def _letters(symbol: str) -> str:
    """Return a symbol without what separates its assets."""
    return "".join(filter(str.isalnum, symbol)).upper()
