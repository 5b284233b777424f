"""How much a benchmark does."""

import msgspec


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """Rounds go on for about ``seconds``; every contestant of a round handles ``ticks`` ticks.

    Without ``peers`` only ourselves and the limit are measured.
    """

    seconds: float = 10.0
    least_rounds: int = 3
    ticks: int = 50_000
    peers: bool = True
