"""Why an anomaly was told: its minute's trades, the minutes before it, the same decision again."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from db import minutes
from db.signals import StoredSignal
from market.explanations import Explanation, Measured
from market.signals import Signal
from market.ticks import Kind
from market.trades import Trade
from workers.memory import place_before
from workers.models.anomaly import MEMORY, Era, Step, evidence, steps
from workers.models.reigning import Models
from workers.stored_tapes import StoredTape

if TYPE_CHECKING:
    from db.connections import Connection


async def explain(
    connection: "Connection", exchange_id: int, stored: StoredSignal, at_most: int
) -> Explanation:
    """Explain an anomaly out of the database, with the newest ``at_most`` of its trades and minutes."""
    signal, models = stored.signal, Models()
    eras = await models.eras(connection, stored.instrument_id, signal.ts, signal.ts + 1)
    era = next((each for each in eras if each.version == signal.version), None)
    if era is None:
        reason = f"version {signal.version} of its model is not in force there, or is not what its hash says"
        return Explanation([], 0, [], [], 0, None, reason)
    known = await minutes.read(connection, stored.instrument_id, signal.ts - MEMORY, signal.ts)
    made = list(steps(era, known))
    trades = await _trades(connection, exchange_id, stored)
    return Explanation(
        ticks=list(trades[-at_most:]),
        ticks_total=len(trades),
        bars=[minute.bar for minute in known if minute.bar.end == signal.ts],
        measured=[_measured(era, step) for step in made[-at_most:]],
        measured_total=len(made),
        recomputed=await _again(connection, models, stored),
    )


async def _trades(connection: "Connection", exchange_id: int, stored: StoredSignal) -> Sequence[Trade]:
    tape, signal = StoredTape(connection, exchange_id, stored.instrument_id), stored.signal
    after, to = place_before(signal.from_ts), place_before(signal.to_ts)
    ticks = await tape.read(after, to, frozenset({Kind.TRADE}))
    return [tick for tick in ticks if isinstance(tick, Trade)]


async def _again(connection: "Connection", models: Models, stored: StoredSignal) -> Signal | None:
    signal = stored.signal
    for each in await models.scored(connection, stored.instrument_id, signal.ts, signal.ts + 1):
        if each.version == signal.version and each.signals:
            return msgspec.structs.replace(
                each.signals[0].signal, parameters_version=signal.parameters_version
            )
    return None


def _measured(era: Era, step: Step) -> Measured:
    return Measured(
        ts=step.minute.bar.end,
        value=step.score,
        strength=step.strength,
        confidence=era.model.confidence,
        evidence=evidence(era.model, step),
        phase=step.edges.phase.name.lower(),
        told=step.direction,
    )
