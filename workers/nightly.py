"""What is verified each night, and where the outcome is kept."""

from typing import TYPE_CHECKING

import structlog

from db import instruments, verifications
from db.verifications import NewVerification
from market.times import DAY
from market.verifications import Verification
from runtime.clock import Clock
from workers.folding import Folder
from workers.verifying import Verifier

if TYPE_CHECKING:
    from db.connections import Connection
    from db.instruments import Listed

logger = structlog.get_logger(__name__)


class Nightly:
    """Verifies days of all instruments, and records what came of it."""

    def __init__(self, folder: Folder, clock: Clock, code_version: str) -> None:
        self._folder = folder
        self._clock = clock
        self._code_version = code_version

    async def run(self, connection: "Connection", day: int) -> None:
        """Verify the day that begins at ``day``, but for instruments of which there is nothing then."""
        verifier = Verifier(connection, self._folder)
        for listed in await instruments.listed(connection):
            if await verifications.has_anything(connection, listed, day, day + DAY):
                began = self._clock()
                made = await verifier.verify(listed, day, day + DAY)
                await self._record(connection, listed, began, made)

    async def _record(
        self, connection: "Connection", listed: "Listed", began: int, made: Verification
    ) -> None:
        new = NewVerification(listed.instrument_id, began, self._clock(), self._code_version, made)
        await verifications.record(connection, new)
        tell = logger.error if made.differences else logger.info
        tell(
            "verification.done",
            instrument=listed.instrument.key,
            bars=made.bars,
            signals=made.signals,
            differences=len(made.differences),
        )
