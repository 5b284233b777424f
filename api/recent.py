"""The newest publications in memory, shared by all subscribers and bounded over all streams."""

from collections import deque

from api.formats import Frame
from db.publications import Stream


class _Tail:
    """The end of one stream: frames of the offsets ``first`` to ``last``."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.frames: dict[int, Frame] = {}

    @property
    def last(self) -> int:
        return self.first + len(self.frames) - 1


class Recent:
    """Keeps the frames of the newest publications; when it is full the oldest of all goes.

    Who needs one that went reads the log: memory does not grow with slow subscribers.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tails: dict[Stream, _Tail] = {}
        self._order: deque[Stream] = deque()

    def add(self, stream: Stream, offset: int, frame: Frame) -> None:
        """Keep the frame that follows the last one of its stream."""
        tail = self._tails.get(stream)
        if tail is None or offset != tail.last + 1:
            tail = self._tails[stream] = _Tail(offset)
        tail.frames[offset] = frame
        self._order.append(stream)
        if len(self._order) > self._limit:
            self._drop_oldest()

    def after(self, stream: Stream, offset: int, at_most: int) -> list[Frame] | None:
        """Return the frames beyond ``offset``, none when it is the last; None when they are not all here."""
        tail = self._tails.get(stream)
        if tail is None or offset + 1 < tail.first:
            return None
        return [tail.frames[each] for each in range(offset + 1, min(tail.last, offset + at_most) + 1)]

    def forget(self, stream: Stream) -> None:
        """Drop a stream that nobody follows."""
        self._tails.pop(stream, None)

    def __len__(self) -> int:
        """Return how many frames are kept."""
        return sum(len(tail.frames) for tail in self._tails.values())

    def _drop_oldest(self) -> None:
        tail = self._tails.get(self._order.popleft())
        if tail is not None and tail.frames:
            del tail.frames[tail.first]
            tail.first += 1
