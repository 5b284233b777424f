"""Scores closed minutes as the log of bars tells of them, in a process of its own, and hands over.

Nothing waits for it. It subscribes to the log like anybody else: each final minute and each correction of
one says from where to look again. What it tells is a function of stored minutes and models, so it keeps no
state but its place in the log.
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from db import scorings, staged
from db.connections import connected
from db.errors import translated
from db.scorings import News, Standing
from db.staged import SCORE, NewStaged
from market.errors import StoreError
from market.times import MINUTE
from runtime.lifecycle import wait_at_most
from workers import scores
from workers.memory import REWIND
from workers.models.anomaly import MEMORY
from workers.models.reigning import Models
from workers.scores import Scored
from workers.settings import WorkerSettings

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)

_SESSION = {"idle_in_transaction_session_timeout": "60s", "statement_timeout": "30s"}
_NEWS_AT_ONCE: Final = 256
"""Entries of the log that are worked off together: what piled up is scored in micro-batches."""


class Totals(msgspec.Struct):
    """What this process has scored since it started."""

    minutes: int = 0
    staged: int = 0
    refused: int = 0
    """Models that were not sound when they were to be loaded."""


class Scorer:
    """Scores what is due until told to stop."""

    def __init__(self, url: str, settings: WorkerSettings, at_once: int = _NEWS_AT_ONCE) -> None:
        self._url = url
        self._settings = settings
        self._at_once = at_once
        self._models = Models()
        self.totals = Totals()

    async def run(self, stopping: asyncio.Event) -> None:
        """Score until ``stopping`` is set, through every loss of PostgreSQL."""
        while not stopping.is_set():
            try:
                async with connected(self._url, "heliograph worker-scoring", _SESSION) as connection:
                    while not stopping.is_set():
                        await self._work_off(connection, stopping)
                        await wait_at_most(stopping, self._settings.score_after_seconds)
            except StoreError as error:
                logger.warning("worker.interrupted", error=str(error), retryable=error.retryable)
                await wait_at_most(stopping, self._settings.score_after_seconds)

    async def _work_off(self, connection: "Connection", stopping: asyncio.Event) -> None:
        while not stopping.is_set() and await self.score(connection):
            pass

    async def score(self, connection: "Connection") -> int:
        """Score a micro-batch of each instrument that is due; return how many minutes the log told of."""
        before = self.totals.minutes
        for instrument_id in await scorings.due(connection):
            with translated("scoring"):
                async with connection.transaction():
                    await self._score(connection, instrument_id)
        return self.totals.minutes - before

    async def _score(self, connection: "Connection", instrument_id: int) -> None:
        offset = await scorings.lock(connection, instrument_id)
        standing = await scorings.standing(connection, instrument_id)
        if offset is None or standing is None:
            return
        settled = standing.cursor.ts - REWIND
        news = _settled(await scorings.news(connection, instrument_id, offset, self._at_once), settled)
        stretches = await scorings.take_again(connection, instrument_id)
        if news:
            stretches.append(_reach([each.start for each in news], settled))
            await scorings.move(connection, instrument_id, news[-1].offset)
        for from_ts, to_ts in stretches:
            for made in await self._models.scored(connection, instrument_id, from_ts, to_ts):
                await self._hand_over(connection, instrument_id, standing, made)
        self.totals.minutes += len(news)
        self.totals.refused = self._models.refused

    async def _hand_over(
        self, connection: "Connection", instrument_id: int, standing: Standing, made: Scored
    ) -> None:
        """Stage what differs from what stands, or may differ from what is on its way."""
        changed = await scores.changes(connection, instrument_id, made)
        same = not (changed.new or changed.changed or changed.gone)
        if same and not await scorings.waits(connection, instrument_id):
            return
        self.totals.staged += 1
        await staged.add(
            connection,
            NewStaged(
                shard=standing.shard,
                instrument_id=instrument_id,
                purpose=SCORE,
                version=standing.version,
                from_ts=made.from_ts,
                to_ts=made.to_ts,
                body=scores.encode(made),
            ),
        )


def _settled(news: Sequence[News], settled: int) -> list[News]:
    """Return the first news whose minutes live leaves alone from now on; what follows waits."""
    unsettled = next((at for at, each in enumerate(news) if each.start + MINUTE > settled), len(news))
    return list(news[:unsettled])


def _reach(starts: Sequence[int], settled: int) -> tuple[int, int]:
    """Return from when to when minutes that start then have a say, up to ``settled``."""
    return min(starts) + MINUTE, min(max(starts) + MINUTE + MEMORY, settled) + 1
