"""The room that all books of a process share for updates that wait for a snapshot. No I/O."""

from typing import Final

ROOM_BYTES: Final = 64 * 2**20


class Room:
    """Counts what waiting updates hold; who is about to keep more than there is room for drops its oldest."""

    def __init__(self, bound: int = ROOM_BYTES) -> None:
        self._bound = bound
        self.held = 0
        """Bytes."""

    @property
    def overfull(self) -> bool:
        """Tell whether more is held than the bound."""
        return self.held > self._bound
