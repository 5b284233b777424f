"""Every kind of signal that is computed."""

from typing import Final

from workers.kinds.flow import Flow
from workers.kinds.fold import AnyFold
from workers.kinds.momentum import Momentum
from workers.kinds.pressure import Pressure
from workers.kinds.reversion import Reversion
from workers.kinds.rsi import Rsi

KINDS: Final[tuple[AnyFold, ...]] = (Momentum(), Rsi(), Reversion(), Flow(), Pressure())
"""In the order in which they are stepped."""
