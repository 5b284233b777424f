"""Write what a claim decided: bars, signals, publications, failed folds."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from db.errors import translated
from db.queries import load
from db.signals import signal_of
from market.bars import Bar
from market.channels import Family
from market.publications import Publication
from market.signals import Journey, Signal
from market.times import SECOND

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("outcomes")


class NewSignal(msgspec.Struct, frozen=True):
    """A signal of an instrument, when the tick that decided it was received, and which way that tick took."""

    instrument_id: int
    signal: Signal
    received_at: int
    journey: Journey | None = None


class NewPublication(msgspec.Struct, frozen=True):
    """A publication and what the log is searched by: a signal's kind or a bar's interval; event time."""

    publication: Publication
    about: str
    ts: int


class Quarantine(msgspec.Struct, frozen=True):
    """A kind that says nothing of an instrument from ``from_ts`` on."""

    instrument_id: int
    kind: str
    from_ts: int


class FailedFold(msgspec.Struct, frozen=True):
    """A kind that raised on an instrument's tape at ``from_ts``."""

    exchange: str
    instrument_id: int
    kind: str
    from_ts: int
    reason: str
    payload: bytes
    code_version: str


async def add_bars(connection: "Connection", bars: Sequence[tuple[int, Bar]], source: str = "live") -> None:
    """Insert final bars, each with its instrument_id; one that stands already stays, and is made dirty."""
    with translated("writing bars"):
        await connection.execute(_sql.add_bars, *bar_columns(bars), source)


def bar_columns(bars: Sequence[tuple[int, Bar]]) -> list[list[object]]:
    """Return the columns of table ``bars``, but for ``source``."""
    return [
        [instrument_id for instrument_id, _ in bars],
        [bar.interval // SECOND for _, bar in bars],
        *([getattr(bar, field) for _, bar in bars] for field in Bar.__struct_fields__[1:]),
    ]


async def remove_bars(connection: "Connection", bars: Sequence[tuple[int, Bar]]) -> None:
    """Delete bars that turned out otherwise."""
    with translated("removing bars"):
        await connection.execute(
            _sql.remove_bars,
            [instrument_id for instrument_id, _ in bars],
            [bar.interval // SECOND for _, bar in bars],
            [bar.start for _, bar in bars],
        )


async def bars_since(connection: "Connection", instrument_id: int, starts: Mapping[int, int]) -> list[Bar]:
    """Return final bars of each interval (microseconds) that start at or after its start."""
    with translated("reading bars told"):
        rows = await connection.fetch(
            _sql.bars_since, instrument_id, [each // SECOND for each in starts], list(starts.values())
        )
    return [Bar(seconds * SECOND, *rest) for seconds, *rest in rows]


async def add_signals(
    connection: "Connection", signals: Sequence[NewSignal], committed_at: int, code_version: str
) -> None:
    """Insert signals; one that stands already stays."""
    told = [each.signal for each in signals]
    journeys = [each.journey for each in signals]
    with translated("writing signals"):
        await connection.execute(
            _sql.add_signals,
            [each.instrument_id for each in signals],
            [signal.kind for signal in told],
            [signal.version for signal in told],
            [signal.ts for signal in told],
            [signal.direction.value for signal in told],
            [signal.strength for signal in told],
            [signal.confidence for signal in told],
            [signal.price for signal in told],
            [msgspec.json.encode(signal.evidence).decode() for signal in told],
            [signal.from_ts for signal in told],
            [signal.to_ts for signal in told],
            [each.received_at for each in signals],
            [signal.parameters_version for signal in told],
            [msgspec.json.encode(signal.parameters).decode() for signal in told],
            [signal.first and signal.first.ts for signal in told],
            [signal.first and signal.first.id for signal in told],
            [signal.last and signal.last.ts for signal in told],
            [signal.last and signal.last.id for signal in told],
            [signal.warm for signal in told],
            [journey and journey.ts for journey in journeys],
            [journey and journey.stored_at for journey in journeys],
            [journey and journey.claimed_at for journey in journeys],
            [signal.source for signal in told],
            committed_at,
            code_version,
        )


async def remove_signals(connection: "Connection", signals: Sequence[tuple[int, Signal]]) -> None:
    """Delete signals that turned out otherwise."""
    with translated("removing signals"):
        await connection.execute(
            _sql.remove_signals,
            [instrument_id for instrument_id, _ in signals],
            [signal.kind for _, signal in signals],
            [signal.version for _, signal in signals],
            [signal.ts for _, signal in signals],
        )


async def signals_since(connection: "Connection", instrument_id: int, ts: int) -> list[Signal]:
    """Return signals at or after ``ts``."""
    with translated("reading signals told"):
        rows = await connection.fetch(_sql.signals_since, instrument_id, ts)
    return [signal_of(dict(row)) for row in rows]


async def signals_in(connection: "Connection", instrument_id: int, from_ts: int, to_ts: int) -> list[Signal]:
    """Return signals of [from_ts, to_ts)."""
    with translated("reading signals told"):
        rows = await connection.fetch(_sql.signals_in, instrument_id, from_ts, to_ts)
    return [signal_of(dict(row)) for row in rows]


async def bars_in(
    connection: "Connection", instrument_id: int, ranges: Mapping[int, tuple[int, int]]
) -> list[Bar]:
    """Return final bars of each interval (microseconds) that start in its range."""
    with translated("reading bars told"):
        rows = await connection.fetch(
            _sql.bars_in,
            instrument_id,
            [each // SECOND for each in ranges],
            [from_ts for from_ts, _ in ranges.values()],
            [to_ts for _, to_ts in ranges.values()],
        )
    return [Bar(seconds * SECOND, *rest) for seconds, *rest in rows]


async def quarantines(connection: "Connection", instrument_ids: Collection[int]) -> list[Quarantine]:
    """Return what is stopped of these instruments."""
    with translated("reading quarantines"):
        rows = await connection.fetch(_sql.quarantines, list(instrument_ids))
    return [Quarantine(*row) for row in rows]


async def publish(connection: "Connection", news: Sequence[NewPublication], committed_at: int) -> None:
    """Append to the log."""
    log = [each.publication for each in news]
    with translated("appending to the log"):
        await connection.execute(
            _sql.publish,
            [entry.instrument_id for entry in log],
            [entry.family.value for entry in log],
            [entry.offset for entry in log],
            [entry.op for entry in log],
            [entry.revises for entry in log],
            [each.about for each in news],
            [each.ts for each in news],
            [entry.data for entry in log],
            committed_at,
        )


async def told_at(
    connection: "Connection", instrument_id: int, family: Family, things: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], int]:
    """Return the offset at which the log told last of each of these things, (about, ts), if it ever did."""
    with translated("looking for what is corrected"):
        rows = await connection.fetch(
            _sql.told_at,
            instrument_id,
            family.value,
            [about for about, _ in things],
            [ts for _, ts in things],
        )
    return {(about, ts): offset for about, ts, offset in rows}


async def lift(connection: "Connection", instrument_id: int, kinds: Collection[str]) -> None:
    """Forget that these kinds failed, with their dead letters."""
    with translated("lifting quarantines"):
        await connection.execute(_sql.lift, instrument_id, list(kinds))


async def bury_fold(connection: "Connection", failed: FailedFold) -> None:
    """Write a failed fold's dead letter and its quarantine."""
    with translated("burying a failed fold"):
        await connection.execute(
            _sql.bury_fold,
            failed.exchange,
            failed.instrument_id,
            failed.reason,
            failed.payload,
            failed.code_version,
            failed.kind,
            failed.from_ts,
        )
