"""One claim: lock, read, fold, commit. What it remembers changes only after the commit."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from db import claims
from db.claims import Advance, Cursor, Head, Instrument, Versioned
from db.errors import translated
from db.tapes import Part, read_parts
from market.batches import Batch, Listing, Span
from market.channels import Family
from market.publications import Publication
from market.times import SECOND
from workers.folding import Folder
from workers.memory import Plan, Remembered, begin, plan
from workers.shards import ShardMemory, encode_checkpoint, take_over
from workers.telling import Step, Telling

if TYPE_CHECKING:
    from db.connections import Connection

TICKS_A_CLAIM = 20_000
"""So that an outage is worked off in steps."""

_CHECKPOINT_EVERY = 5 * SECOND
_CHECKPOINT_TICKS = 50_000


class Claimed(msgspec.Struct, frozen=True):
    """What one committed claim did."""

    shards: Sequence[int]
    batches: int
    ticks: int
    publications: Sequence[Publication]
    signals: Mapping[str, int]


class Claimer:
    """Claims and folds for one worker, over whatever connection it is given."""

    def __init__(self, folder: Folder, clock: Callable[[], int], code_version: str) -> None:
        self._folder = folder
        self._clock = clock
        self._code_version = code_version
        self._memory: dict[int, ShardMemory] = {}
        self._instruments: dict[int, Instrument] = {}

    async def claim(self, connection: "Connection", workers: int) -> Claimed | None:
        """Claim a share of the due shards among ``workers``, fold them, commit; None when nothing was due.

        Raises StoreError; then nothing is committed and nothing is remembered.
        """
        done = {shard: memory.versioned.head.done for shard, memory in self._memory.items()}
        due = await claims.due(connection, done)
        if not due:
            return None
        with translated("claiming"):
            return await self._claim(connection, due, workers)

    async def _claim(self, connection: "Connection", due: Sequence[int], workers: int) -> Claimed | None:
        async with connection.transaction():
            shards = await claims.lock(connection, due, -(-len(due) // workers))
            if not shards:
                return None
            memory = await self._refreshed(connection, shards)
            claimed, after = await self._work(connection, memory)
        self._memory.update(after)
        return claimed

    async def _refreshed(self, connection: "Connection", shards: Sequence[int]) -> dict[int, ShardMemory]:
        """Return the memory of locked shards, taken over where another worker was here meanwhile."""
        known = {shard: memory.versioned for shard, memory in self._memory.items()}
        heads = await claims.read_heads(connection, shards, known)
        await self._learn(connection, [i for head in heads.values() for i in head.head.cursors])
        return {shard: await self._memory_of(connection, shard, head) for shard, head in heads.items()}

    async def _memory_of(self, connection: "Connection", shard: int, versioned: Versioned) -> ShardMemory:
        memory = self._memory.get(shard)
        if memory and memory.versioned.version == versioned.version:
            return memory
        instruments = await take_over(connection, self._folder, shard, versioned, self._instruments)
        return ShardMemory(versioned, instruments, self._clock())

    async def _work(
        self, connection: "Connection", memory: Mapping[int, ShardMemory]
    ) -> tuple[Claimed, dict[int, ShardMemory]]:
        done = {shard: each.versioned.head.done for shard, each in memory.items()}
        batches = await claims.read_batches(connection, done, TICKS_A_CLAIM)
        listed = _by_shard(batches)
        await self._learn(connection, [i for listing in listed.values() for i in listing])
        steps = await self._fold(connection, memory, listed)
        telling = Telling(connection, self._clock(), self._code_version)
        for of_shard in steps.values():
            for step in of_shard:
                await telling.take(step)
        publications = await telling.write()
        advances = [
            _advance(memory[shard], shard, batches, of_shard, telling) for shard, of_shard in steps.items()
        ]
        await claims.advance(connection, advances)
        after = {each.shard: self._after(memory[each.shard], each, steps[each.shard]) for each in advances}
        for shard, each in after.items():
            after[shard] = await self._checkpointed(connection, shard, each)
        ticks = sum(span.count for b in batches for spans in b.listing.values() for span in spans)
        return Claimed(list(memory), len(batches), ticks, publications, telling.kinds), after

    async def _fold(
        self,
        connection: "Connection",
        memory: Mapping[int, ShardMemory],
        listed: Mapping[int, Listing],
    ) -> dict[int, list[Step]]:
        """Plan every instrument listed, read all their ticks together, and fold each."""
        planned: list[tuple[int, Instrument, Remembered, Plan]] = []
        for shard, listing in listed.items():
            for instrument_id, spans in listing.items():
                before = memory[shard].instruments.get(instrument_id) or begin(self._folder, spans)
                planned.append((shard, self._instruments[instrument_id], before, plan(before, spans)))
        ticks = await read_parts(connection, [_part(of, each) for _, of, _, each in planned])
        steps: dict[int, list[Step]] = {shard: [] for shard in memory}
        for shard, of, before, each in planned:
            cursor = memory[shard].versioned.head.cursors.get(of.instrument_id) or _first(before)
            folded = self._folder.fold(each.base, ticks[of.instrument_id])
            steps[shard].append(Step(of, cursor, before, each, folded))
        return steps

    async def _learn(self, connection: "Connection", instrument_ids: Sequence[int]) -> None:
        unknown = set(instrument_ids) - self._instruments.keys()
        if unknown:
            for instrument in await claims.read_instruments(connection, sorted(unknown)):
                self._instruments[instrument.instrument_id] = instrument

    def _after(self, memory: ShardMemory, step: Advance, steps: Sequence[Step]) -> ShardMemory:
        instruments = dict(memory.instruments)
        for each in steps:
            instruments[each.instrument.instrument_id] = each.before.after(each.plan.base, each.folded)
        ticks = sum(s.count for b in step.folded for spans in b.listing.values() for s in spans)
        return ShardMemory(
            Versioned(step.version, step.head),
            instruments,
            memory.checkpointed_at,
            memory.ticks_since + ticks,
        )

    async def _checkpointed(self, connection: "Connection", shard: int, memory: ShardMemory) -> ShardMemory:
        """Write a checkpoint when one is due."""
        now = self._clock()
        young = now - memory.checkpointed_at < _CHECKPOINT_EVERY
        if young and memory.ticks_since < _CHECKPOINT_TICKS:
            return memory
        folds = encode_checkpoint(self._folder, memory.instruments)
        await claims.add_checkpoint(connection, shard, memory.versioned.version, folds)
        return msgspec.structs.replace(memory, checkpointed_at=now, ticks_since=0)


def _by_shard(batches: Sequence[Batch]) -> dict[int, dict[int, list[Span]]]:
    """Return the spans of each instrument of each shard."""
    listed: dict[int, dict[int, list[Span]]] = defaultdict(lambda: defaultdict(list))
    for batch in batches:
        for instrument_id, spans in batch.listing.items():
            listed[batch.shard][instrument_id] += spans
    return listed


def _part(instrument: Instrument, each: Plan) -> Part:
    return Part(instrument.exchange_id, instrument.instrument_id, each.base.cursor, each.to, each.kinds)


def _first(before: Remembered) -> Cursor:
    """Return the cursor of an instrument that no head knows yet."""
    place = before.state.cursor
    return Cursor(place.ts, place.kind, place.id, began_ts=place.ts, signals=0, bars=0)


def _advance(
    memory: ShardMemory,
    shard: int,
    batches: Sequence[Batch],
    steps: Sequence[Step],
    telling: Telling,
) -> Advance:
    """Return the next head of a shard: what is done, and where its instruments stand."""
    head = memory.versioned.head
    folded = [batch for batch in batches if batch.shard == shard]
    done = head.done | {batch.writer: batch.seq for batch in folded}
    cursors = head.cursors | {step.instrument.instrument_id: _cursor(step, telling) for step in steps}
    return Advance(shard, memory.versioned.version + 1, Head(done, cursors), folded)


def _cursor(step: Step, telling: Telling) -> Cursor:
    place = step.folded.state.cursor
    instrument_id = step.instrument.instrument_id
    return Cursor(
        place.ts,
        place.kind,
        place.id,
        began_ts=step.cursor.began_ts,
        signals=telling.offset(instrument_id, Family.SIGNALS),
        bars=telling.offset(instrument_id, Family.BARS),
    )
