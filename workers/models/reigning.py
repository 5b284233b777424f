"""What the models of an instrument tell of a stretch, each of the minutes for which it is in force."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import structlog

from db import minutes, scorings
from market.errors import UntrustedModelError
from market.signals import Signal
from market.ticks import Kind, TapeKey
from workers.folding import DecidedSignal
from workers.models.anomaly import MEMORY, Era, told
from workers.models.isolation import IsolationModel
from workers.models.promoting import loaded
from workers.scores import Scored

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)


class Models:
    """Loads models as they are needed, and keeps those that an instrument needed last."""

    def __init__(self) -> None:
        self._models: dict[int, dict[int, IsolationModel]] = {}
        self.refused = 0
        """How often a model was not sound when it was to be loaded."""

    async def scored(
        self, connection: "Connection", instrument_id: int, from_ts: int, to_ts: int
    ) -> list[Scored]:
        """Return, a model each, all that is told with ``from_ts`` <= ts < ``to_ts``.

        A function of stored minutes and models alone.
        """
        known = await minutes.read(connection, instrument_id, from_ts - MEMORY, to_ts)
        made = []
        for era in await self.eras(connection, instrument_id, from_ts, to_ts):
            before = [minute for minute in known if minute.bar.end < to_ts]
            signals = [signal for signal in told(era, before) if from_ts <= signal.ts]
            decided = await _decided(connection, instrument_id, signals)
            made.append(Scored(era.version, from_ts, to_ts, decided))
        return made

    async def eras(self, connection: "Connection", instrument_id: int, from_ts: int, to_ts: int) -> list[Era]:
        """Return the models that decide in [from_ts, to_ts); one that is not sound decides nothing."""
        known = self._models.get(instrument_id, {})
        self._models[instrument_id] = models = {}
        eras = []
        for reign in await scorings.reigns(connection, instrument_id, from_ts - 1, to_ts - 1):
            model = known.get(reign.model_id) or await self._loaded(connection, reign.model_id)
            if model is not None:
                models[reign.model_id] = model
                eras.append(Era(reign.version, reign.from_ts, reign.to_ts, model))
        return eras

    async def _loaded(self, connection: "Connection", model_id: int) -> IsolationModel | None:
        try:
            return await loaded(connection, model_id)
        except UntrustedModelError as error:
            self.refused += 1
            logger.error("model.refused", model=model_id, error=str(error))  # noqa: TRY400 - it says all
            return None


async def _decided(
    connection: "Connection", instrument_id: int, signals: Sequence[Signal]
) -> list[DecidedSignal]:
    """Say of signals which trades their minutes began and ended with."""
    ends = await scorings.ends(connection, instrument_id, [signal.from_ts for signal in signals])
    decided = []
    for signal in signals:
        of = ends.get(signal.from_ts)
        if of is None:
            decided.append(DecidedSignal(signal, signal.ts, TapeKey(signal.ts, Kind.TRADE, 0)))
            continue
        whole = msgspec.structs.replace(signal, first=of.first, last=of.last)
        decided.append(DecidedSignal(whole, of.received_at, TapeKey(of.last.ts, Kind.TRADE, of.last.id)))
    return decided
