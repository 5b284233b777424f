"""What a claim leaves of a shard: the next head, what the worker remembers, now and then a checkpoint."""

from collections.abc import Sequence

from db.claims import Advance, Cursor, Head, Versioned
from market.batches import Batch
from market.channels import Family
from market.times import SECOND
from workers.decisions import settled_ts
from workers.folding import Folder
from workers.shards import ShardMemory, encode_checkpoint
from workers.telling import Moved, Telling

_CHECKPOINT_EVERY = 5 * SECOND
_CHECKPOINT_TICKS = 50_000
_REFOLDED_TICKS = 2_000
"""A takeover that had to fold more than these again, some 10 ms, leaves a checkpoint for the next one."""


class Advancer:
    """Advances the shards of one claim at ``now``."""

    def __init__(self, folder: Folder, telling: Telling, now: int) -> None:
        self._folder = folder
        self._telling = telling
        self._now = now

    def advanced(
        self,
        shard: int,
        memory: ShardMemory,
        folded: Sequence[Batch],
        steps: Sequence[Moved],
        *,
        replaced: bool = False,
    ) -> tuple[Advance, ShardMemory]:
        """Return what is stored and what is remembered once ``steps`` were made of the batches ``folded``.

        Of what was ``replaced`` a checkpoint is left: who takes over must not go on from what was before.
        """
        instruments = {
            **memory.instruments,
            **{step.instrument.instrument_id: step.after for step in steps},
        }
        head, folds = self._next(memory.versioned.head, folded, steps), None
        if replaced or self._needs_checkpoint(head, memory.refolded):
            head = Head(head.done, head.cursors, checkpointed_at=self._now, ticks_since=0)
            folds = encode_checkpoint(self._folder, instruments)
        version = memory.versioned.version + 1
        advance = Advance(shard, version, head, folded, folds)
        return advance, ShardMemory(Versioned(version, head), instruments)

    def _next(self, head: Head, folded: Sequence[Batch], steps: Sequence[Moved]) -> Head:
        return Head(
            done=head.done | {batch.writer: batch.seq for batch in folded},
            cursors=head.cursors | {step.instrument.instrument_id: self._cursor(step) for step in steps},
            checkpointed_at=head.checkpointed_at,
            ticks_since=head.ticks_since + sum(batch.ticks for batch in folded),
        )

    def _cursor(self, step: Moved) -> Cursor:
        place = step.after.state.cursor
        instrument_id = step.instrument.instrument_id
        return Cursor(
            place.ts,
            place.kind,
            place.id,
            began_ts=step.cursor.began_ts,
            signals=self._telling.offset(instrument_id, Family.SIGNALS),
            bars=self._telling.offset(instrument_id, Family.BARS),
            settled_ts=max(step.cursor.settled_ts, settled_ts(step.after.oldest)),
        )

    def _needs_checkpoint(self, head: Head, refolded: int) -> bool:
        young = 0 <= self._now - head.checkpointed_at < _CHECKPOINT_EVERY
        return not young or head.ticks_since >= _CHECKPOINT_TICKS or refolded >= _REFOLDED_TICKS
