"""Streams by their names, and frames made once for all for whom they are the same."""

from typing import Final

from api.catalogue import Catalogue
from api.formats import Frame
from api.frames import latest_frame, publication_frame, quoted
from db.publications import Stream
from market.channels import Family
from market.publications import Latest, Publication

_SLOTS: Final = 4096
"""So many slots keep their frames, those that changed last; of others a frame is made for each."""


class Showing:
    """Keeps the frames of the newest value of each slot; a value that is replaced takes its frames along."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Begin with none."""
        self._catalogue = catalogue
        self._channels: dict[Stream, str] = {}
        self._shown: dict[tuple[int, Family, int], tuple[Latest, dict[int, Frame]]] = {}

    def channel(self, stream: Stream) -> str:
        """Return the quoted name of a stream."""
        name = self._channels.get(stream)
        if name is None:
            name = self._channels[stream] = quoted(self._catalogue.channel(stream))
        return name

    def publication(self, publication: Publication) -> Frame:
        """Return the frame of an entry of the log."""
        stream = Stream(publication.instrument_id, publication.family)
        return publication_frame(self.channel(stream), publication)

    def show(self, latest: Latest) -> None:
        """Take a slot's newest value."""
        self._shown.pop(latest.slot, None)
        self._shown[latest.slot] = (latest, {})
        if len(self._shown) > _SLOTS:
            del self._shown[next(iter(self._shown))]

    def latest(self, latest: Latest, conflated: int) -> Frame:
        """Return the frame of a value that stands for ``conflated`` ticks."""
        channel = self.channel(Stream(latest.instrument_id, latest.family))
        newest, frames = self._shown.get(latest.slot, (None, {}))
        if newest is not latest:
            return latest_frame(channel, latest, conflated)
        frame = frames.get(conflated)
        if frame is None:
            frame = frames[conflated] = latest_frame(channel, latest, conflated)
        return frame
