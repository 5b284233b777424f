"""The claim: shards locked, batches read, and everything that was made of them committed at once.

The order of the calls inside one transaction is the rule (docs/decisions/0002-claim.md):
``due`` (any time before), ``lock``, then ``read_heads`` and ``read_batches``, whose snapshots are
younger than the lock, then the ticks, and at last ``advance``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from db.errors import translated
from db.queries import load
from market import batches
from market.batches import Batch
from market.texts import Name

if TYPE_CHECKING:
    from db.connections import Connection

SESSION: Final = {
    "enable_bitmapscan": "off",
    "enable_seqscan": "off",
    "idle_in_transaction_session_timeout": "15s",
    "statement_timeout": "60s",
}
"""Of whoever claims: one that hangs in mid-claim gives its shards back.

Vacuum leaves an empty queue without a page, and a plan made then is kept: it would read and sort all of the
queue, or all states of a shard, and so each claim all that was deleted since. In the order of an index the
first row is enough.
"""

_sql = load("claims")

Done = Mapping[int, int]
"""Writer to the last ``seq`` that is folded."""


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where one instrument stands: the last tick folded, where its tape began, the last offsets given.

    Bars that ended by ``settled_ts`` the live lane never touches again: they are left to repairs.
    It never goes back.
    """

    ts: int
    kind: int
    id: int
    began_ts: int
    signals: int
    bars: int
    settled_ts: int = 0


class Head(msgspec.Struct, frozen=True, array_like=True):
    """The small state that every claim appends: what is done, and each instrument's cursor.

    ``checkpointed_at`` and ``ticks_since`` tell whoever holds the shard how old its checkpoint is.
    """

    done: dict[int, int]
    cursors: dict[int, Cursor]
    checkpointed_at: int = 0
    ticks_since: int = 0


class Versioned(msgspec.Struct, frozen=True):
    """A head and its version; version 0 is the empty head before the first claim."""

    version: int
    head: Head


class Advance(msgspec.Struct, frozen=True):
    """What a claim leaves behind for one shard: the next head, the batches in it, perhaps a checkpoint."""

    shard: int
    version: int
    head: Head
    folded: Sequence[Batch]
    folds: bytes | None = None


class Due(msgspec.Struct, frozen=True):
    """A shard that has unfolded batches: its newest head's version, 0 before the first; the oldest's age.

    ``seqs`` are the oldest unfolded ones of its ``writers``.
    """

    shard: int
    version: int
    waited_seconds: float
    writers: Sequence[int] = ()
    seqs: Sequence[int] = ()


class Instrument(msgspec.Struct, frozen=True):
    """What a worker must know of an instrument."""

    instrument_id: int
    exchange_id: int
    name: Name


NOTHING = Versioned(0, Head({}, {}))

_encode = msgspec.msgpack.Encoder().encode
decode_head = msgspec.msgpack.Decoder(Head).decode


async def due(connection: "Connection", done: Mapping[int, Done]) -> list[Due]:
    """Return the shards that have unfolded batches, the one with the oldest first."""
    with translated("looking for due shards"):
        return [Due(*row) for row in await connection.fetch(_sql.due, *_columns(done))]


async def lock(connection: "Connection", shards: Sequence[int], at_most: int) -> list[int]:
    """Lock up to ``at_most`` of these shards that nobody holds, until the transaction ends."""
    with translated("claiming shards"):
        return [row["shard"] for row in await connection.fetch(_sql.lock, shards, at_most)]


async def read_heads(
    connection: "Connection", shards: Sequence[int], known: Mapping[int, Versioned]
) -> dict[int, Versioned]:
    """Return the newest head of each locked shard; one that is ``known`` already does not travel."""
    remembered = [known.get(shard, NOTHING) for shard in shards]
    with translated("reading heads"):
        rows = await connection.fetch(_sql.heads, shards, [each.version for each in remembered])
    heads = dict(zip(shards, remembered, strict=True))
    stored = {row["shard"] for row in rows}
    heads.update({shard: NOTHING for shard in shards if shard not in stored})
    heads.update(
        {row["shard"]: Versioned(row["version"], decode_head(row["head"])) for row in rows if row["head"]}
    )
    return heads


async def read_batches(connection: "Connection", done: Mapping[int, Done], at_most_ticks: int) -> list[Batch]:
    """Return the oldest batches beyond ``done``: a prefix of each writer's, some ``at_most_ticks`` in all."""
    with translated("reading batches"):
        rows = await connection.fetch(_sql.batches, list(done), *_columns(done), _BATCHES_A_WRITER)
    taken: list[Batch] = []
    ticks = 0
    for row in rows:
        if taken and ticks + row["ticks"] > at_most_ticks:
            break
        ticks += row["ticks"]
        listing = batches.decode(row["listing"])
        taken.append(Batch(row["shard"], row["writer"], row["seq"], listing, row["created_at"]))
    return taken


async def read_checkpoint(connection: "Connection", shard: int) -> bytes | None:
    """Return the newest checkpoint of a shard, or None before the first."""
    with translated("reading a checkpoint"):
        folds: bytes | None = await connection.fetchval(_sql.checkpoint, shard)
    return folds


async def advance(connection: "Connection", steps: Iterable[Advance]) -> None:
    """Append the next heads, remove the batches that are in them, and write the checkpoints.

    Raises StoreConflictError when somebody folded these batches already.
    """
    steps = list(steps)
    folded = [batch for step in steps for batch in step.folded]
    with translated("committing a claim"):
        await connection.execute(
            _sql.append_state,
            [step.shard for step in steps],
            [step.version for step in steps],
            [_encode(step.head) for step in steps],
        )
        await connection.execute(
            _sql.delete_batches,
            [batch.shard for batch in folded],
            [batch.writer for batch in folded],
            [batch.seq for batch in folded],
        )
    for step in steps:
        if step.folds is not None:
            await _add_checkpoint(connection, step.shard, step.version, step.folds)


async def _add_checkpoint(connection: "Connection", shard: int, version: int, folds: bytes) -> None:
    """Keep the whole state of a shard as of ``version`` and sweep what is older."""
    with translated("writing a checkpoint"):
        await connection.execute(_sql.add_checkpoint, shard, version, folds)
        await connection.execute(_sql.sweep_states, shard, version)
        await connection.execute(_sql.sweep_checkpoints, shard, version)


async def read_instruments(connection: "Connection", instrument_ids: Sequence[int]) -> list[Instrument]:
    """Return these instruments."""
    with translated("reading instruments"):
        rows = await connection.fetch(_sql.instruments, instrument_ids)
    return [Instrument(i, exchange_id, Name(exchange, symbol)) for i, exchange_id, exchange, symbol in rows]


async def count_live_workers(connection: "Connection") -> int:
    """Return how many live workers beat their heart, at least 1: whoever asks."""
    with translated("counting live workers"):
        beating: int = await connection.fetchval(_sql.live_workers)
    return max(1, beating)


async def oldest_batch_seconds(connection: "Connection") -> float:
    """Return the age of the oldest unclaimed batch, 0 when there is none."""
    with translated("reading the age of the queue"):
        return float(await connection.fetchval(_sql.oldest_batch))


_BATCHES_A_WRITER = 500
"""Enough for 20,000 ticks of ordinary batches; the rest waits for the next claim."""


def _columns(done: Mapping[int, Done]) -> tuple[list[int], list[int], list[int]]:
    triples = [(shard, writer, seq) for shard, of in done.items() for writer, seq in of.items()]
    return [s for s, _, _ in triples], [w for _, w, _ in triples], [q for _, _, q in triples]
