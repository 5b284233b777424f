"""Having what the API keeps of instruments dropped that are computed again."""

import structlog

from bus.publishing import Bus
from market.errors import BusUnavailableError

logger = structlog.get_logger(__name__)


class Renewals:
    """Tells Redis; what it does not take is told with the next. Without a bus nothing is kept anywhere."""

    def __init__(self, bus: Bus | None) -> None:
        self._bus = bus
        self._untold: set[int] = set()

    async def renew(self, instrument_id: int) -> None:
        """Have nothing answered any more that was kept of an instrument."""
        if self._bus is None:
            return
        self._untold.add(instrument_id)
        try:
            await self._bus.renew(self._untold)
        except BusUnavailableError as error:
            logger.warning("answers.not_renewed", error=str(error), instruments=len(self._untold))
        else:
            self._untold = set()
