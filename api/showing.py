"""Frames of latest values, shared by those for whom they stand for equally many ticks."""

from typing import Final

from api.formats import Frame
from api.frames import latest_frame
from market.channels import Family
from market.publications import Latest

_SLOTS: Final = 4096
"""So many slots keep their frames, those that changed last; of others a frame is made for each."""


class Showing:
    """Keeps the frames of the newest value of each slot; a value that is replaced takes its frames along."""

    def __init__(self) -> None:
        """Begin with none."""
        self._shown: dict[tuple[int, Family, int], tuple[Latest, dict[int, Frame]]] = {}

    def show(self, latest: Latest) -> None:
        """Take a slot's newest value."""
        self._shown.pop(latest.slot, None)
        self._shown[latest.slot] = (latest, {})
        if len(self._shown) > _SLOTS:
            del self._shown[next(iter(self._shown))]

    def frame(self, channel: str, latest: Latest, conflated: int) -> Frame:
        """Return the frame of a value that stands for ``conflated`` ticks; ``channel`` is quoted."""
        newest, frames = self._shown.get(latest.slot, (None, {}))
        if newest is not latest:
            return latest_frame(channel, latest, conflated)
        frame = frames.get(conflated)
        if frame is None:
            frame = frames[conflated] = latest_frame(channel, latest, conflated)
        return frame
