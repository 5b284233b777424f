"""Every kind of signal that is computed."""

from typing import Final

from workers.kinds.fold import AnyFold

KINDS: Final[tuple[AnyFold, ...]] = ()
"""In the order in which they are stepped."""
