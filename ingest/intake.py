"""Where what a connection decoded goes."""

from ingest.buffer import Arrival, Buffer
from ingest.tallies import Tallies
from ingest.venues.venue import Decoded


class Intake:
    """Where what was decoded goes: counted as offered, then into the buffer."""

    def __init__(self, exchange: str, buffer: Buffer, tallies: Tallies) -> None:
        self._exchange = exchange
        self._buffer = buffer
        self._tallies = tallies

    async def take(self, decoded: Decoded) -> None:
        """Pass on what was decoded, waiting while the buffer is full."""
        self._tallies.conflate(self._exchange, decoded.conflated)
        if decoded.ticks or decoded.watermarks:
            arrival = Arrival(self._exchange, decoded)
            self._tallies.offer(arrival)
            await self._buffer.put(arrival)
