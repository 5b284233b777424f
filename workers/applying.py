"""One staged result: compared, written, told, and perhaps put in the place of what live remembers."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from db import claims, dirty, staged
from db.claims import Cursor, Instrument
from db.dirty import DirtyInterval
from db.staged import RESCORE, SCORE, NewStaged, Staged
from market.publications import Publication
from workers import repairs, scores
from workers.advancing import Advancer
from workers.folding import Folder
from workers.recomputing import Recomputed
from workers.repairs import Repaired, Repairer, tell
from workers.shards import ShardMemory, read_silences
from workers.telling import Moved, Telling

if TYPE_CHECKING:
    from db.connections import Connection


class Applied(msgspec.Struct, frozen=True):
    """What was told of a staged result of an instrument, and the shard's memory after it.

    ``dropped``: it came too late.

    ``signals`` counts, by kind, those that nobody else counts: a model's.
    """

    instrument_id: int
    publications: Sequence[Publication]
    after: ShardMemory
    dropped: bool = False
    signals: Mapping[str, int] = {}


class Applier:
    """Applies what is staged of one locked shard, in the transaction of ``telling``."""

    def __init__(
        self, connection: "Connection", folder: Folder, telling: Telling, now: int, at_most_ticks: int
    ) -> None:
        self._connection = connection
        self._folder = folder
        self._telling = telling
        self._now = now
        self._at_most_ticks = at_most_ticks

    async def apply(self, each: Staged, instrument: Instrument, memory: ShardMemory) -> Applied:
        """Apply ``each``, or ask for it to be computed again when that takes longer than a claim may."""
        await staged.remove(self._connection, each)
        cursor = memory.versioned.head.cursors.get(each.instrument_id)
        if each.purpose == SCORE:
            return await self._score(each, instrument, memory, cursor)
        made = repairs.decode(self._folder, each.body)
        repaired = await self._repaired(instrument, cursor, made) if cursor and made else None
        if repaired is None or cursor is None:
            again = DirtyInterval(each.instrument_id, each.from_ts, each.to_ts)
            await dirty.mark(self._connection, [again], "moved on")
            return Applied(each.instrument_id, [], memory, dropped=True)
        publications = await tell(self._connection, self._telling, instrument, cursor, repaired)
        moved = Moved(instrument, cursor, repaired.after or memory.instruments[each.instrument_id])
        after = await self._advanced(each.shard, memory, moved, replaced=repaired.after is not None)
        return Applied(each.instrument_id, publications, after)

    async def _score(
        self, each: Staged, instrument: Instrument, memory: ShardMemory, cursor: Cursor | None
    ) -> Applied:
        """Tell what a model found; what live remembers of ticks is none of its business.

        What other code scored, and this one cannot read, is to be scored again.
        """
        made = scores.decode(each.body)
        if cursor is None or made is None:
            again = {**msgspec.structs.asdict(each), "purpose": RESCORE, "body": b""}
            again.pop("staged_id")
            await staged.add(self._connection, NewStaged(**again))
            return Applied(each.instrument_id, [], memory, dropped=True)
        publications = await scores.tell(self._connection, self._telling, instrument, cursor, made)
        moved = Moved(instrument, cursor, memory.instruments[each.instrument_id])
        after = await self._advanced(each.shard, memory, moved, replaced=False)
        return Applied(each.instrument_id, publications, after, signals=self._telling.kinds)

    async def _advanced(
        self, shard: int, memory: ShardMemory, moved: Moved, *, replaced: bool
    ) -> ShardMemory:
        advancer = Advancer(self._folder, self._telling, self._now)
        advance, after = advancer.advanced(shard, memory, [], [moved], replaced=replaced)
        await claims.advance(self._connection, [advance])
        return after

    async def _repaired(self, instrument: Instrument, cursor: Cursor, made: Recomputed) -> Repaired | None:
        instrument_id = instrument.instrument_id
        silences = (await read_silences(self._connection, [instrument_id])).get(instrument_id, ())
        repairer = Repairer(self._connection, self._folder, instrument, cursor, silences)
        if made.state is None:
            return await repairer.compared(made)
        return await repairer.continued(made, made.state, self._at_most_ticks)
