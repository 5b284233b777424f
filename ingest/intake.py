"""Where what a connection decoded goes."""

from collections.abc import Iterable, Mapping

from ingest.buffer import Arrival, Buffer
from ingest.continuity import Continuity
from ingest.findings import NOTHING
from ingest.tallies import Tallies
from ingest.venues.venue import Decoded
from market.gaps import Silent
from market.tapes import TapeEnd

_NEW = TapeEnd()


class Intake:
    """Where what was decoded goes: counted as offered, searched for breaks, then into the buffer."""

    def __init__(
        self,
        exchange: str,
        buffer: Buffer,
        tallies: Tallies,
        continuity: Continuity,
        ends: Mapping[int, TapeEnd],
    ) -> None:
        self._exchange = exchange
        self._buffer = buffer
        self._tallies = tallies
        self._continuity = continuity
        self._ends = ends

    def join(self, instrument_id: int) -> None:
        """Watch an instrument from where its tape ended."""
        self._continuity.join(instrument_id, self._ends.get(instrument_id, _NEW))

    def leave(self, instrument_id: int) -> None:
        """Watch it no more."""
        self._continuity.leave(instrument_id)

    def answered(self, instrument_ids: Iterable[int]) -> None:
        """Note that everything about these instruments that was subscribed to is acknowledged."""
        self._continuity.answered(instrument_ids)

    def lost(self) -> None:
        """Note that the connection has ended."""
        self._continuity.lost()

    def muted(self) -> list[Silent]:
        """Return the streams that are silent against their habit."""
        return self._continuity.muted()

    def mute_books(self) -> list[int]:
        """Return the instruments that traded while their book was silent against its habit."""
        return self._continuity.mute_books()

    def was_quiet(self, instrument_id: int, after_id: int | None) -> None:
        """Learn that an instrument that seemed mute had not traded since ``after_id``."""
        self._continuity.was_quiet(instrument_id, after_id)

    async def take(self, decoded: Decoded) -> None:
        """Pass on what was decoded and what it shows, waiting while the buffer is full."""
        self._tallies.conflate(self._exchange, decoded.conflated)
        findings = self._continuity.take(decoded)
        if decoded.ticks or decoded.watermarks or findings is not NOTHING:
            arrival = Arrival(self._exchange, decoded, findings)
            self._tallies.offer(arrival)
            await self._buffer.put(arrival)
