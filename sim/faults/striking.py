"""Which of the messages that are aimed at are struck."""

from math import inf
from random import Random

from sim.faults.fault import Aim, Circumstances
from sim.messages import Message


class Share(Aim, frozen=True):
    """Each with the probability ``share``."""

    share: float = 0.1


class Count(Aim, frozen=True):
    """The first so many; 0: all while it lasts where a duration is given, else the usual number."""

    count: int = 0


class Some:
    """Strikes by chance."""

    def __init__(self, share: Share, random: Random) -> None:
        """Take the share, and where chance comes from."""
        self._share = share
        self._random = random

    def strikes(self, message: Message) -> bool:
        """Tell whether this one is struck."""
        return self._share.hits(message) and self._random.random() < self._share.share


class First:
    """Strikes until enough were struck."""

    def __init__(self, count: Count, usual: int, circumstances: Circumstances) -> None:
        """Take how many, and how many where nothing was said."""
        self._aim = count
        self._left = count.count or (usual if circumstances.seconds is None else inf)

    @property
    def done(self) -> bool:
        """Tell whether enough were struck."""
        return self._left <= 0

    def strikes(self, message: Message) -> bool:
        """Tell whether this one is struck; it counts for as many ticks as it offers, and at least for one."""
        struck = not self.done and self._aim.hits(message)
        if struck:
            self._left -= max(sum(message.offered), 1)
        return struck
