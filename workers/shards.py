"""What a live worker remembers of a shard, and how it learns it when it takes a shard over."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from db import claims, dirty, outcomes
from db.claims import Cursor, Instrument, Versioned
from db.dirty import DirtyInterval
from db.tapes import Part, read_parts
from market.ticks import Kind, TapeKey
from market.times import SECOND, floor
from workers import stored_states
from workers.folding import Folder, InstrumentState, Tick
from workers.memory import Remembered, start_at
from workers.silences import Silence, silenced
from workers.stored_states import Restored

if TYPE_CHECKING:
    from db.connections import Connection

_decode_checkpoint = msgspec.msgpack.Decoder(dict[int, bytes]).decode
_encode_checkpoint = msgspec.msgpack.Encoder().encode


class ShardMemory(msgspec.Struct, frozen=True):
    """A shard as of one version of its head, and how many ticks were folded again to know it."""

    versioned: Versioned
    instruments: Mapping[int, Remembered]
    refolded: int = 0


def encode_checkpoint(folder: Folder, memory: Mapping[int, Remembered]) -> bytes:
    """Return the furthest states that can be gone back to, so that a takeover can go back as far."""
    return _encode_checkpoint(
        {instrument_id: stored_states.encode(folder, each.oldest) for instrument_id, each in memory.items()}
    )


async def take_over(
    connection: "Connection",
    folder: Folder,
    shard: int,
    versioned: Versioned,
    instruments: Mapping[int, Instrument],
) -> ShardMemory:
    """Fold again, silently, from the checkpoint to the cursors of ``versioned``.

    What is quarantined stays so, whatever code folds it now; a kind that this code did not fold before
    begins anew, and is repaired.
    """
    silences = await read_silences(connection, versioned.head.cursors)
    checkpoint = await claims.read_checkpoint(connection, shard)
    stored = _decode_checkpoint(checkpoint) if checkpoint else {}
    known = {instrument_id: stored_states.restore(folder, data) for instrument_id, data in stored.items()}
    await _mark_begun(connection, known, versioned.head.cursors)
    bases = {
        instrument_id: known[instrument_id].state
        if instrument_id in known
        else start_at(folder, cursor.began_ts)
        for instrument_id, cursor in versioned.head.cursors.items()
    }
    parts = [
        Part(
            instruments[instrument_id].exchange_id,
            instrument_id,
            base.cursor,
            TapeKey(cursor.ts, cursor.kind, cursor.id),
            frozenset(Kind),
        )
        for instrument_id, base in bases.items()
        for cursor in [versioned.head.cursors[instrument_id]]
    ]
    ticks = await read_parts(connection, parts)
    remembered = {
        instrument_id: _folded(folder, base, ticks[instrument_id], silences.get(instrument_id, ()))
        for instrument_id, base in bases.items()
    }
    return ShardMemory(versioned, remembered, refolded=sum(map(len, ticks.values())))


async def _mark_begun(
    connection: "Connection", known: Mapping[int, Restored], cursors: Mapping[int, Cursor]
) -> None:
    """Have computed again what a kind tells that begins anew, and lacks what it remembers from before."""
    begun = [
        DirtyInterval(instrument_id, floor(each.state.cursor.ts, SECOND), cursors[instrument_id].ts + 1)
        for instrument_id, each in known.items()
        if each.begun
    ]
    if begun:
        await dirty.mark(connection, begun, "upgrade")


async def read_silences(
    connection: "Connection", instrument_ids: Collection[int]
) -> Mapping[int, Sequence[Silence]]:
    """Return what is quarantined of these instruments."""
    found: dict[int, list[Silence]] = defaultdict(list)
    for each in await outcomes.quarantines(connection, instrument_ids):
        found[each.instrument_id].append(Silence(each.kind, each.from_ts))
    return found


def _folded(
    folder: Folder, base: InstrumentState, ticks: Sequence[Tick], silences: Sequence[Silence]
) -> Remembered:
    base = silenced(base, silences, base.cursor.ts)
    return Remembered(base, ()).after(base, folder.fold(base, ticks)).silenced(silences)
