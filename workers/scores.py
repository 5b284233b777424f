"""What a model tells of a stretch of minutes: handed over by who scores, told by who holds the shard."""

from typing import TYPE_CHECKING

import msgspec

from db import outcomes
from db.claims import Cursor, Instrument
from market.publications import Publication
from market.signals import Signal
from workers.decisions import Changes, compare_signals, signal_key
from workers.folding import DecidedSignal
from workers.models.anomaly import KIND
from workers.telling import Telling

if TYPE_CHECKING:
    from db.connections import Connection


class Scored(msgspec.Struct, frozen=True, array_like=True):
    """All anomalies of one version of an instrument's model with ``from_ts`` <= ts < ``to_ts``."""

    version: int
    from_ts: int
    to_ts: int
    signals: list[DecidedSignal]


encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Scored).decode


def decode(data: bytes) -> Scored | None:
    """Return what was handed over; None when another version of this code wrote it otherwise."""
    try:
        return _decode(data)
    except msgspec.DecodeError:
        return None


async def stored(connection: "Connection", instrument_id: int, made: Scored) -> list[Signal]:
    """Return what stands of the stretch that was scored."""
    signals = await outcomes.signals_in(connection, instrument_id, made.from_ts, made.to_ts)
    return [each for each in signals if each.kind == KIND and each.version == made.version]


async def changes(
    connection: "Connection", instrument_id: int, made: Scored
) -> Changes[DecidedSignal, Signal]:
    """Compare what was scored with what stands."""
    told = await stored(connection, instrument_id, made)
    return compare_signals(made.signals, {signal_key(signal): signal for signal in told})


async def tell(
    connection: "Connection", telling: Telling, instrument: Instrument, cursor: Cursor, made: Scored
) -> list[Publication]:
    """Write and tell what was scored, and correct what was told otherwise; the shard is locked."""
    changed = await changes(connection, instrument.instrument_id, made)
    telling.add(instrument, cursor, Changes([], [], []), changed, "live")
    return await telling.write()
