"""The backfill pool's worker: computes again what is dirty, aside and gently, and never in live's way."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec
import structlog

from db import asked, claims, dirty, staged
from db.claims import Cursor
from db.connections import connected
from db.dirty import Piece
from db.errors import translated
from db.retention import reaches_dropped
from db.staged import REPAIR, NewStaged
from market.errors import StoreError
from market.times import to_iso
from runtime.lifecycle import wait_at_most
from workers import repairs, stored_states
from workers.folding import Folder
from workers.learning import learn
from workers.pieces import pieces
from workers.recomputing import Effects, Recomputed
from workers.renewing import Renewals
from workers.repairs import Repairer
from workers.settings import WorkerSettings
from workers.shards import read_silences
from workers.silences import Silence
from workers.stored_tapes import StoredTape
from workers.telling import Telling

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)

_SESSION = {
    "synchronous_commit": "off",  # safe: what a crash takes back is still dirty, and done again
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
}
_PURSUITS = 4
"""How often a repair goes on to where live has come meanwhile: the rest live folds in a claim."""


class Totals(msgspec.Struct):
    """What this worker has committed since it started."""

    intervals: int = 0
    staged: int = 0
    bars: int = 0
    signals: int = 0
    """Computed again, changed or not."""


class BackfillWorker:
    """Computes dirty stretches of tapes again until told to stop."""

    def __init__(  # noqa: PLR0913 - where, how, and what with
        self,
        url: str,
        settings: WorkerSettings,
        folder: Folder,
        clock: Callable[[], int],
        code_version: str,
        *,
        renewals: Renewals | None = None,
    ) -> None:
        self._url = url
        self._settings = settings
        self._folder = folder
        self._clock = clock
        self._code_version = code_version
        self._renewals = renewals or Renewals(None)
        self.totals = Totals()

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set, through every loss of PostgreSQL."""
        while not stopping.is_set():
            try:
                async with connected(self._url, "heliograph worker-backfill", _SESSION) as connection:
                    await self._work(connection, stopping)
            except StoreError as error:
                logger.warning("worker.interrupted", error=str(error), retryable=error.retryable)
                await wait_at_most(stopping, self._settings.repair_after_seconds)

    async def _work(self, connection: "Connection", stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            if await self.has_to_wait(connection) or not await self.work(connection):
                await wait_at_most(stopping, self._settings.repair_after_seconds)

    async def has_to_wait(self, connection: "Connection") -> bool:
        """Tell whether live lags: then it needs the machine more."""
        waited = await claims.oldest_batch_seconds(connection)
        return waited > self._settings.repair_yields_above_seconds

    async def work(self, connection: "Connection") -> bool:
        """Compute the newest that is dirty again, or hand on what was asked to be; tell whether there was."""
        return bool(await self.repair(connection)) or await asked.hand_on(connection)

    async def repair(self, connection: "Connection") -> int:
        """Compute the newest dirty minutes again and hand them over; return how many rows asked for them.

        One transaction: what it does not finish stays dirty.
        """
        with translated("repairing"):
            async with connection.transaction():
                live = await dirty.cursors(connection)
                await learn(connection, self._folder)
                piece = await dirty.lock_piece(connection, live)
                if piece is None:
                    return 0
                await self._renewals.renew(piece.instrument_id)  # what is dirty is not kept for long again
                made = await self._hand_over(connection, piece)
                await dirty.finish(connection, piece)
        await self._renewals.renew(piece.instrument_id)
        self.totals.intervals += len(piece.rows)
        if made is None:
            times = {"from_ts": to_iso(piece.from_ts), "to_ts": to_iso(piece.to_ts)}
            logger.warning(
                "repair.left", instrument_id=piece.instrument_id, why="ticks were dropped", **times
            )
        else:
            self.totals.bars += len(made.bars)
            self.totals.signals += len(made.signals)
        return len(piece.rows)

    async def _hand_over(self, connection: "Connection", piece: Piece) -> Recomputed | None:
        """Stage what came of it for live, or write it where live never was.

        None, and what was told stands, where the tape that it was told of was dropped, even in part.
        """
        of = piece.exchange_id, piece.instrument_id
        if await reaches_dropped(connection, *of, piece.from_ts, piece.to_ts):
            return None
        silences = (await read_silences(connection, [piece.instrument_id])).get(piece.instrument_id, ())
        tape = StoredTape(connection, *of)
        effects = Effects(self._folder, tape, piece.from_ts, piece.to_ts)
        version, cursor = await self._pursue(connection, piece, effects)
        made = effects.made(silences)
        to_ts = max([made.to_ts, *(each.to_ts for each in made.ranges.values())])
        if await reaches_dropped(connection, *of, effects.began_ts, to_ts):
            return None
        if _was_never_told(made, cursor):
            await self._write(connection, piece, cursor, made, silences)
        else:
            state = None if made.state is None else stored_states.decode(self._folder, made.state)
            for from_ts, to_ts, part in pieces(made, state, piece.to_ts):
                await staged.add(connection, self._new_staged(piece, version, from_ts, to_ts, part))
            self.totals.staged += 1
        return made

    async def _pursue(self, connection: "Connection", piece: Piece, effects: Effects) -> tuple[int, Cursor]:
        """Follow what the piece has a say in, to where live has settled by the end of it."""
        for _ in range(_PURSUITS):
            head = await dirty.newest_head(connection, piece.shard)
            cursor = head.head.cursors[piece.instrument_id]
            if await effects.follow(cursor.settled_ts):
                break
        return head.version, cursor

    def _new_staged(
        self, piece: Piece, version: int, from_ts: int, to_ts: int, made: Recomputed
    ) -> NewStaged:
        return NewStaged(
            shard=piece.shard,
            instrument_id=piece.instrument_id,
            purpose=REPAIR,
            version=version,
            from_ts=from_ts,
            to_ts=to_ts,
            body=repairs.encode(self._folder, made),
        )

    async def _write(
        self,
        connection: "Connection",
        piece: Piece,
        cursor: Cursor,
        made: Recomputed,
        silences: Sequence[Silence],
    ) -> None:
        """Write what live has never come near: none of it is published."""
        [instrument] = await claims.read_instruments(connection, [piece.instrument_id])
        repairer = Repairer(connection, self._folder, instrument, cursor, silences)
        telling = Telling(connection, self._clock(), self._code_version)
        await repairs.tell(connection, telling, instrument, cursor, await repairer.compared(made))


def _was_never_told(made: Recomputed, cursor: Cursor) -> bool:
    ends = [made.to_ts, *(each.to_ts for each in made.ranges.values())]
    return made.state is None and max(ends) <= cursor.began_ts
