"""One of several addresses, until it fails."""

from collections.abc import Sequence


class Turns:
    """Addresses of one service, the one preferred first; each failure goes on to the next."""

    def __init__(self, addresses: Sequence[str]) -> None:
        """Begin with the first of ``addresses``; there is at least one."""
        self._addresses = addresses
        self._turn = 0

    @property
    def current(self) -> str:
        """Return the address whose turn it is."""
        return self._addresses[self._turn]

    def failed(self) -> None:
        """Go on to the next; after the last comes the first."""
        self._turn = (self._turn + 1) % len(self._addresses)
