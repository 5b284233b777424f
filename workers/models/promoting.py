"""Put a model to use, if it passes its check beside the one in use."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from db import minutes, trained_models
from db.errors import translated
from db.trained_models import CANDIDATE, ModelRow
from market.errors import UnpromotedModelError, UntrustedModelError
from market.minutes import Minute
from workers.models import features
from workers.models.blobs import load
from workers.models.isolation import IsolationModel
from workers.models.judging import Verdict, measure
from workers.models.training import check, split

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)


async def consider(connection: "Connection", row: ModelRow) -> Verdict:
    """Check a candidate on the minutes held out of its training, beside the one in use; change nothing.

    Raises UntrustedModelError, and UnpromotedModelError for what is no candidate.
    """
    if row.state != CANDIDATE:
        message = f"model {row.model_id} is {row.state}, and only a candidate can be promoted"
        raise UnpromotedModelError(message)
    candidate = await loaded(connection, row.model_id)
    in_use = await trained_models.in_use(connection, row.instrument_id)
    theirs = await _trusted(connection, in_use) if in_use is not None else None
    everything = await minutes.read(connection, row.instrument_id, row.trained_from, row.trained_to)
    return await asyncio.to_thread(_judged, candidate, split(everything)[1], theirs)


async def promote(connection: "Connection", model_id: int) -> Verdict:
    """Put a candidate to use if it passes, and note why, or why not."""
    row = await trained_models.model(connection, model_id)
    with translated("promoting a model"):
        async with connection.transaction():
            await trained_models.lock(connection, row.instrument_id)
            verdict = await consider(connection, await trained_models.model(connection, row.model_id))
            await trained_models.say(connection, row.model_id, verdict.reason)
            if verdict.passed:
                await trained_models.put_in_use(connection, row)
    return verdict


async def loaded(connection: "Connection", model_id: int) -> IsolationModel:
    """Return a stored model; raises UntrustedModelError."""
    return load(*await trained_models.blob(connection, model_id))


async def _trusted(connection: "Connection", model_id: int) -> IsolationModel | None:
    """Return the model in use, or None where it cannot be trusted any more: then anything is better."""
    try:
        return await loaded(connection, model_id)
    except UntrustedModelError as error:
        logger.warning("model.refused", model=model_id, error=str(error))
        return None


def _judged(candidate: IsolationModel, held_out: Sequence[Minute], in_use: IsolationModel | None) -> Verdict:
    metrics = measure(candidate, features.rows(held_out, candidate.features))
    return check(metrics, held_out, in_use)[0]
