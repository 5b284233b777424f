"""Faults of REST."""

from sim.faults.fault import Circumstances, Fault, Parameters
from sim.faults.striking import Share


class Requests(Parameters, frozen=True):
    """Each request with the probability ``share``."""

    share: float = 1.0


class RateLimit(Fault):
    """REST answers that there were too many requests, in the venue's own way."""

    kind = "ratelimit"
    takes = Requests
    lasts_seconds = 10.0
    expected = "Healing waits as long as it is told to, and live connections are not affected."

    def __init__(self, parameters: Requests, circumstances: Circumstances) -> None:
        """Take the share of requests."""
        self._share = parameters.share
        self._random = circumstances.random

    def limits(self) -> bool:
        """Refuse by chance."""
        limited = self._random.random() < self._share
        self.touched += limited
        return limited


class ShortHistory(Fault):
    """History lacks for ever some of the trades that are executed while it lasts; sockets tell them."""

    kind = "short_history"
    takes = Share
    lasts_seconds = 10.0
    expected = "What is missed live as well is unrecoverable, and on record as such; all else heals."

    def __init__(self, parameters: Share, circumstances: Circumstances) -> None:
        """Take the share of trades."""
        self._share = parameters
        self._random = circumstances.random

    def forgets(self, symbol: str) -> bool:
        """Forget by chance."""
        forgotten = self._share.means(symbol) and self._random.random() < self._share.share
        self.touched += forgotten
        return forgotten


class Slow(Parameters, frozen=True):
    """By so many seconds."""

    by_seconds: float = 5.0


class SlowHistory(Fault):
    """REST takes its time."""

    kind = "slow_history"
    takes = Slow
    lasts_seconds = 10.0
    expected = "Healing takes longer, or tries again; live connections are not affected."

    def __init__(self, parameters: Slow, circumstances: Circumstances) -> None:  # noqa: ARG002
        """Take how slow."""
        self._by_seconds = parameters.by_seconds

    def holds_seconds(self) -> float:
        """Hold each request."""
        self.touched += 1
        return self._by_seconds
