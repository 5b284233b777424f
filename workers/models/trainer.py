"""Works off trainings, in the backfill lane: one at a time, its arithmetic in a process of its own."""

import asyncio
import os
import socket
from importlib.metadata import version
from typing import TYPE_CHECKING

import msgspec
import structlog

from db import chunks, minutes, trained_models, trainings
from db.claims import oldest_batch_seconds
from db.connections import connected
from db.errors import translated
from db.trained_models import NewModel
from db.trainings import Training
from market.errors import ModelError, StoreError, UntrainableError
from market.minutes import Minute
from market.times import DAY
from workers.models.fitting import Fitted, fitted_aside
from workers.models.promoting import promote

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)

_LEASE_SECONDS = 600.0
_LIVE_IS_BEHIND_SECONDS = 2.0
_LOOK_AFTER_SECONDS = 1.0
_ATTEMPTS = 3
_REST_SECONDS = 60.0


class Totals(msgspec.Struct):
    """What this process has trained since it started."""

    models: int = 0
    promoted: int = 0


class Trainer:
    """Trains what is asked for, and puts to use what passes, until told to stop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._holder = f"trainer {socket.gethostname()}:{os.getpid()}"
        self.totals = Totals()

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set, through every loss of PostgreSQL; half a training is given back."""
        async with asyncio.TaskGroup() as group:
            working = group.create_task(self._work())
            await stopping.wait()
            working.cancel()
        await self._give_back()

    async def _work(self) -> None:
        while True:
            try:
                async with connected(self._url, "heliograph worker-backfill trainer") as connection:
                    await chunks.release(connection, self._holder)
                    while True:
                        if not await self.train(connection):
                            await asyncio.sleep(_LOOK_AFTER_SECONDS)
            except StoreError as error:
                logger.warning("trainer.interrupted", error=str(error))
                await asyncio.sleep(_LOOK_AFTER_SECONDS)

    async def _give_back(self) -> None:
        try:
            async with connected(self._url, "heliograph worker-backfill trainer") as connection:
                await chunks.release(connection, self._holder)
        except StoreError as error:
            logger.warning("trainer.lease_kept", seconds=_LEASE_SECONDS, error=str(error))

    async def train(self, connection: "Connection") -> bool:
        """Work off the training that has waited longest; return whether there was one.

        None is begun while ticks wait for live workers.
        """
        if await oldest_batch_seconds(connection) > _LIVE_IS_BEHIND_SECONDS:
            return False
        training = await trainings.claim(connection, self._holder, _LEASE_SECONDS)
        if training is None:
            return False
        try:
            await self._train(connection, training)
        except UntrainableError as error:
            await self._give_up(connection, training, error)
        except ModelError as error:
            if training.attempts < _ATTEMPTS:
                await trainings.try_later(connection, training, _REST_SECONDS, str(error))
            else:
                await self._give_up(connection, training, error)
        return True

    async def _train(self, connection: "Connection", training: Training) -> None:
        history = await _history(connection, training)
        fitted = await fitted_aside(history)
        model_id = await _store(connection, training, len(history), fitted)
        self.totals.models += 1
        logger.info("model.trained", model=model_id, minutes=len(history), **fitted.metrics)
        verdict = await promote(connection, model_id)
        self.totals.promoted += verdict.passed
        logger.info("model.judged", model=model_id, passed=verdict.passed, reason=verdict.reason)

    async def _give_up(self, connection: "Connection", training: Training, error: ModelError) -> None:
        logger.warning("training.given_up", job=training.job_id, error=str(error))
        await trainings.give_up(connection, training, str(error))


async def _history(connection: "Connection", training: Training) -> list[Minute]:
    """Return the minutes to train on, read a day at a time."""
    history: list[Minute] = []
    for start in range(training.from_ts, training.to_ts, DAY):
        end = min(start + DAY, training.to_ts)
        history += await minutes.read(connection, training.instrument_id, start, end)
    return history


async def _store(connection: "Connection", training: Training, read: int, fitted: Fitted) -> int:
    """Store a candidate and end its training, together."""
    with translated("storing a trained model"):
        async with connection.transaction():
            await trainings.finish(connection, training)
            return await trained_models.add(
                connection,
                NewModel(
                    instrument_id=training.instrument_id,
                    type=fitted.type,
                    trained_from=training.from_ts,
                    trained_to=training.to_ts,
                    minutes=read,
                    features=fitted.features,
                    metrics=fitted.metrics,
                    libraries=dict(fitted.libraries),
                    code_version=version("heliograph"),
                    sha256=fitted.sha256,
                    blob=fitted.blob,
                    job_id=training.job_id,
                ),
            )
