"""What is verified each night, and where the outcome is kept."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from db import instruments, retention, verifications
from db.connections import connected
from db.verifications import NewVerification
from market.errors import HeliographError
from market.times import DAY
from market.verifications import Verification
from runtime.backoff import delays
from runtime.clock import Clock
from workers.folding import Folder
from workers.verifying import Verifier

if TYPE_CHECKING:
    from db.instruments import Listed

logger = structlog.get_logger(__name__)

_TRIES: Final = 4
_FIRST_SECONDS, _CAP_SECONDS = 1.0, 30.0


class Night(NamedTuple):
    """How many instruments were verified of a day, and what came of it, in words."""

    verified: int
    detail: str
    failed: bool


class Nightly:
    """Verifies days of all instruments, and records what came of it."""

    def __init__(
        self,
        url: str,
        folder: Folder,
        clock: Clock,
        code_version: str,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._url = url
        self._folder = folder
        self._clock = clock
        self._code_version = code_version
        self._sleep = sleep

    async def run(self, day: int, since: int | None = None) -> Night:
        """Verify the day that begins at ``day``; raises nothing that is of one instrument.

        But for instruments of which nothing is there, or not all, and those whose turn it was ``since``. What
        fails of one, PostgreSQL's absence too, is tried again and then said; the others have their turn all
        the same.
        """
        done, differing, failed = 0, 0, []
        for listed in await self._listed(day, since):
            try:
                made = await self._tried(listed, day)
            except Exception as error:
                logger.exception("verification.failed", instrument=listed.instrument.key)
                failed.append(f"{listed.instrument.key}: {error}")
            else:
                done += made is not None
                differing += bool(made and made.differences)
        told = f"{done} instruments, {differing} of them with differences"
        return Night(done, "; ".join([told, *failed]), failed=bool(failed))

    async def _listed(self, day: int, since: int | None) -> list["Listed"]:
        async with connected(self._url, "heliograph scheduler verify") as connection:
            seen = await verifications.verified_since(connection, day, since) if since is not None else set()
            listed = await instruments.listed(connection)
        return [each for each in listed if each.instrument_id not in seen]

    async def _tried(self, listed: "Listed", day: int) -> Verification | None:
        """Verify one instrument, over a connection of its own; raises what the last try raised."""
        for delay in islice(delays(_FIRST_SECONDS, _CAP_SECONDS), _TRIES - 1):
            try:
                return await self._verify(listed, day)
            except HeliographError as error:
                if not error.retryable:
                    raise
                logger.warning("verification.again", instrument=listed.instrument.key, error=str(error))
                await self._sleep(delay)
        return await self._verify(listed, day)

    async def _verify(self, listed: "Listed", day: int) -> Verification | None:
        async with connected(self._url, "heliograph scheduler verify") as connection:
            of = listed.exchange_id, listed.instrument_id
            if not await verifications.has_anything(connection, listed, day, day + DAY):
                return None
            if await retention.reaches_dropped(connection, *of, day, day + DAY):
                return None  # what was told of it is all that there is
            began = self._clock()
            made = await Verifier(connection, self._folder).verify(listed, day, day + DAY)
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
        return made
