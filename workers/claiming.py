"""One claim: lock, read, fold, commit. What it remembers changes only after the commit."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from db import claims, staged
from db.claims import Cursor, Due, Instrument, Versioned
from db.errors import translated
from db.tapes import Part, read_parts
from market.batches import Batch, Listing, Span
from market.errors import StoreError
from market.publications import Latest, Publication
from market.times import SECOND
from runtime.metrics import Metrics
from workers.advancing import Advancer
from workers.applying import Applied, Applier
from workers.folding import Folder
from workers.journeys import Journeys
from workers.learning import learn
from workers.memory import Plan, Remembered, begin, plan
from workers.portions import Portion
from workers.shards import ShardMemory, take_over
from workers.showing import Showing, latest
from workers.stopwatch import Stopwatch
from workers.telling import Step, Telling
from workers.walks import Walks

if TYPE_CHECKING:
    from db.connections import Connection

_PATIENCE_SECONDS = 0.02
"""How long a batch waits for the worker that remembers its shard, before any other takes the shard over."""

_STAGED_PATIENCE_SECONDS = 1.0
"""The same of what is staged, which is in no hurry."""


class Claimed(msgspec.Struct, frozen=True):
    """What one committed claim did; to take shards over, ``refolded`` ticks were folded again before."""

    shards: Sequence[int]
    batches: int
    ticks: int
    refolded: int
    publications: Sequence[Publication]
    signals: Mapping[str, int]
    latest: Sequence[Latest] = ()
    """Bars that run, now and then."""
    is_full: bool = False
    """There was about as much to do as one claim may take: there may be more."""


class Claimer:
    """Claims and folds for one worker, over whatever connection it is given."""

    def __init__(  # noqa: PLR0913 - what it needs, and what it may be given by name
        self,
        folder: Folder,
        clock: Callable[[], int],
        code_version: str,
        show_every: int = SECOND // 4,
        portion: Portion | None = None,
        *,
        metrics: Metrics | None = None,
    ) -> None:
        """Take as much as ``portion`` says, which outlives a connection that was lost for taking too much."""
        self._folder = folder
        self._clock = clock
        self._code_version = code_version
        self._memory: dict[int, ShardMemory] = {}
        self._instruments: dict[int, Instrument] = {}
        self._portion = portion or Portion()
        self._showing = Showing(show_every)
        self._walks = Walks()
        self._stopwatch = Stopwatch(metrics or Metrics("worker-live"))

    async def claim(self, connection: "Connection", workers: int) -> Claimed | None:
        """Claim a share of the due shards among ``workers``, fold them, commit; None when nothing was due.

        Raises StoreError or MemoryError; then nothing is committed and nothing is remembered, and the
        next claim takes half as much.
        """
        due = await claims.due(connection, self._walks.begin())
        if not due:
            return None
        self._walks.seen(due)
        wanted = self._wanted(due, workers, _PATIENCE_SECONDS)
        return await self._portioned(connection, wanted, -(-len(due) // workers)) if wanted else None

    async def apply(self, connection: "Connection", workers: int) -> Applied | None:
        """Apply the oldest result that is staged for a shard, commit; None when nothing is to be applied.

        Raises as ``claim`` does.
        """
        waiting = await staged.waiting(connection)
        wanted = self._wanted(waiting, workers, _STAGED_PATIENCE_SECONDS)
        if not wanted:
            return None
        with translated("applying what is staged"):
            async with connection.transaction():
                shards = await claims.lock(connection, wanted, 1)
                memory = await self._refreshed(connection, shards)
                applied = [await self._apply(connection, *each) for each in memory.items()]
        for shard, each in zip(shards, applied, strict=True):
            if each:
                self._memory[shard] = each.after
        return next(iter(applied), None)

    async def _apply(self, connection: "Connection", shard: int, memory: ShardMemory) -> Applied | None:
        each = await staged.next_of(connection, shard)
        if each is None:
            return None
        await self._learn(connection, [each.instrument_id])
        now = self._clock()
        telling = Telling(connection, now, self._code_version)
        applier = Applier(connection, self._folder, telling, now, self._portion.ticks)
        return await applier.apply(each, self._instruments[each.instrument_id], memory)

    def _wanted(self, due: Sequence[Due], workers: int, patience_seconds: float) -> list[int]:
        """Return the shards that need not be taken over, then those that wait too long for another worker."""
        known = {shard: memory.versioned.version for shard, memory in self._memory.items()}
        mine = [each for each in due if each.version == known.get(each.shard, 0)]
        others = [each for each in due if each not in mine]
        left = [each for each in others if workers == 1 or each.waited_seconds >= patience_seconds]
        return [each.shard for each in mine + left]

    async def _portioned(self, connection: "Connection", wanted: Sequence[int], share: int) -> Claimed | None:
        try:
            with translated("claiming"):
                claimed = await self._claim(connection, wanted, self._portion.shards(share))
        except (StoreError, MemoryError):
            self._portion.failed()
            raise
        self._portion.succeeded()
        return claimed

    async def _claim(self, connection: "Connection", wanted: Sequence[int], share: int) -> Claimed | None:
        self._stopwatch.begin()
        async with connection.transaction():
            shards = await claims.lock(connection, wanted, share)
            if not shards:
                return None
            claimed_at = self._clock()
            self._stopwatch.passed("lock")
            memory = await self._refreshed(connection, shards)
            claimed, after = await self._work(connection, memory, claimed_at)
        self._stopwatch.passed("commit")
        self._stopwatch.folded(claimed.ticks)
        self._memory.update(after)
        for shard, each in after.items():
            self._walks.did(shard, each.versioned.head.done)
        shown = await latest(connection, self._showing.due(self._clock()))
        return msgspec.structs.replace(claimed, latest=shown)

    async def _refreshed(self, connection: "Connection", shards: Sequence[int]) -> dict[int, ShardMemory]:
        """Return the memory of locked shards, taken over where another worker was here meanwhile."""
        known = {shard: memory.versioned for shard, memory in self._memory.items()}
        heads = await claims.read_heads(connection, shards, known)
        await self._learn(connection, [i for head in heads.values() for i in head.head.cursors])
        await learn(connection, self._folder)
        return {shard: await self._memory_of(connection, shard, head) for shard, head in heads.items()}

    async def _memory_of(self, connection: "Connection", shard: int, versioned: Versioned) -> ShardMemory:
        memory = self._memory.get(shard)
        if memory and memory.versioned.version == versioned.version:
            return memory
        if not versioned.version:
            begun = msgspec.structs.replace(versioned.head, checkpointed_at=self._clock())
            return ShardMemory(Versioned(0, begun), {})
        return await take_over(connection, self._folder, shard, versioned, self._instruments)

    async def _work(
        self, connection: "Connection", memory: Mapping[int, ShardMemory], claimed_at: int
    ) -> tuple[Claimed, dict[int, ShardMemory]]:
        done = {shard: each.versioned.head.done for shard, each in memory.items()}
        batches = await claims.read_batches(connection, done, self._portion.ticks)
        listed = _by_shard(batches)
        await self._learn(connection, [i for listing in listed.values() for i in listing])
        steps = await self._fold(connection, memory, listed)
        self._stopwatch.passed("fold")
        self._stopwatch.claimed(batches, claimed_at)
        now = self._clock()
        telling = Telling(connection, now, self._code_version, Journeys(batches, claimed_at))
        for step in (step for of_shard in steps.values() for step in of_shard):
            await telling.take(step)
            self._showing.note(step.instrument, step.folded.state, step.folded.bars)
        publications = await telling.write()
        after = await self._advance(connection, memory, batches, steps, Advancer(self._folder, telling, now))
        ticks = sum(batch.ticks for batch in batches)
        claimed = Claimed(
            shards=list(memory),
            batches=len(batches),
            ticks=ticks,
            refolded=sum(each.refolded for each in memory.values()),
            publications=publications,
            signals=telling.kinds,
            is_full=2 * ticks > self._portion.ticks,
        )
        return claimed, after

    @staticmethod
    async def _advance(
        connection: "Connection",
        memory: Mapping[int, ShardMemory],
        batches: Sequence[Batch],
        steps: Mapping[int, Sequence[Step]],
        advancer: Advancer,
    ) -> dict[int, ShardMemory]:
        advanced = {
            shard: advancer.advanced(shard, memory[shard], [b for b in batches if b.shard == shard], of_shard)
            for shard, of_shard in steps.items()
        }
        await claims.advance(connection, [advance for advance, _ in advanced.values()])
        return {shard: after for shard, (_, after) in advanced.items()}

    async def _fold(
        self,
        connection: "Connection",
        memory: Mapping[int, ShardMemory],
        listed: Mapping[int, Listing],
    ) -> dict[int, list[Step]]:
        """Plan every instrument listed, read all their ticks together, and fold each."""
        planned: list[tuple[int, Instrument, Cursor, Remembered, Plan]] = []
        for shard, listing in listed.items():
            for instrument_id, spans in listing.items():
                before = memory[shard].instruments.get(instrument_id) or begin(self._folder, spans)
                cursor = memory[shard].versioned.head.cursors.get(instrument_id) or _first(before)
                each = plan(before, spans, cursor.settled_ts)
                planned.append((shard, self._instruments[instrument_id], cursor, before, each))
        ticks = await read_parts(connection, [_part(of, each) for _, of, _, _, each in planned])
        steps: dict[int, list[Step]] = {shard: [] for shard in memory}
        for shard, of, cursor, before, each in planned:
            folded = self._folder.fold(each.base, ticks[of.instrument_id])
            steps[shard].append(Step(of, cursor, before.after(each.base, folded), before, each, folded))
        return steps

    async def _learn(self, connection: "Connection", instrument_ids: Sequence[int]) -> None:
        unknown = set(instrument_ids) - self._instruments.keys()
        if unknown:
            for instrument in await claims.read_instruments(connection, sorted(unknown)):
                self._instruments[instrument.instrument_id] = instrument


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
