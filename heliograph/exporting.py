"""``heliograph export``: trades, bars, or signals, a file a day and instrument, to be imported again."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, cast

from db import exports
from db.connections import connected
from db.instruments import Listed, listed
from heliograph.whereabouts import database_url
from ingest.naming import instrument_named
from market.errors import ConfigurationError, InvalidInputError, UnknownInstrumentError
from market.nearest import suggestion
from market.times import DAY, floor, to_datetime
from runtime.clock import now

try:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.ipc
    import pyarrow.parquet as pq
except ImportError as error:
    _NEEDED = "files are written with pyarrow: pip install 'heliograph[arrow]'"
    raise ConfigurationError(_NEEDED) from error

if TYPE_CHECKING:
    from asyncpg import Record

    from db.connections import Connection

_SESSION: Final = {"idle_in_transaction_session_timeout": "600s"}
_TIME: Final = pa.timestamp("us", tz="UTC")
_WORD: Final = pa.string()
_SIDES: Final = {1: "buy", -1: "sell", 0: "unknown"}
_BAR: Final = ("open", "high", "low", "close", "volume", "quote_volume", "buy_volume", "sell_volume")

COLUMNS: Final[Mapping[str, Mapping[str, pa.DataType]]] = {
    "trades": {
        "ts": _TIME,
        "trade_id": pa.int64(),
        "price": pa.float64(),
        "size": pa.float64(),
        "side": _WORD,
        "received_at": _TIME,
    },
    "bars": {
        "interval_seconds": pa.int32(),
        "start": _TIME,
        **dict.fromkeys(_BAR, pa.float64()),
        "trades": pa.int32(),
        "source": _WORD,
    },
    "signals": {
        "ts": _TIME,
        "kind": _WORD,
        "version": pa.int16(),
        "direction": _WORD,
        "strength": pa.float64(),
        "confidence": pa.float64(),
        "price": pa.float64(),
        "evidence": _WORD,
        "from_ts": _TIME,
        "to_ts": _TIME,
        "received_at": _TIME,
        "committed_at": _TIME,
        "parameters_version": pa.int32(),
        "parameters": _WORD,
        "code_version": _WORD,
        "first_ts": _TIME,
        "first_id": pa.int64(),
        "last_ts": _TIME,
        "last_id": pa.int64(),
        "warm": pa.bool_(),
        "decided_ts": _TIME,
        "stored_at": _TIME,
        "claimed_at": _TIME,
        "source": _WORD,
    },
}
"""What a file has, beside ``exchange`` and ``symbol``, in the order of the database's answer."""

FORMATS: Final = ("parquet", "csv", "arrow")


class Options(NamedTuple):
    """What to write, and where to; moments in microseconds."""

    noun: str
    exchange: str
    symbols: Sequence[str]
    from_ts: int
    to_ts: int
    format: str
    out: Path
    overwrite: bool
    data_dir: Path | None
    dry_run: bool
    as_json: bool


class Written(NamedTuple):
    """A file, and how many rows are in it."""

    path: Path
    rows: int


class _Writer(Protocol):
    def write_batch(self, batch: pa.RecordBatch) -> None: ...


def export(options: Options) -> None:
    """Write files, and say which."""
    for given, known in ((options.noun, exports.NOUNS), (options.format, FORMATS)):
        if given not in known:
            near = suggestion(given, known)
            message = f"{given!r} is none of {', '.join(known)}{'; ' + near if near else ''}"
            raise InvalidInputError(message)
    instruments = [instrument_named(options.exchange, symbol) for symbol in options.symbols]
    found = asyncio.run(_export(options, [each.key for each in instruments]))
    if options.as_json:
        sys.stdout.write(
            json.dumps([{"file": str(path), "rows": rows} for path, rows in found], indent=2) + "\n"
        )
        return
    for path, rows in found:
        sys.stdout.write(f"{path}: {rows:,} {options.noun}{', not written' if options.dry_run else ''}\n")
    sys.stdout.write(f"{sum(each.rows for each in found):,} {options.noun} in {len(found)} files\n")


async def _export(options: Options, keys: Sequence[str]) -> list[Written]:
    async with connected(database_url(options.data_dir), "heliograph export", _SESSION) as connection:
        known = {each.instrument.key: each for each in await listed(connection)}
        for key in keys:
            if key not in known:
                message = f"nothing of {key} is stored; `heliograph query instruments` lists what is"
                raise UnknownInstrumentError(message)
        return [written for key in keys async for written in days(connection, known[key], options)]


async def days(connection: "Connection", of: Listed, options: Options) -> AsyncIterator[Written]:
    """Write the days that have any rows, one after another; a file is there whole or not at all."""
    at, to_ts = options.from_ts, min(options.to_ts, now() + DAY)
    while (begin := await exports.first(connection, options.noun, of, at, to_ts)) is not None:
        end = min(floor(begin, DAY) + DAY, to_ts)
        path = options.out / name(options.noun, of, begin, options.format)
        rows = exports.batches(connection, options.noun, of, at, end)
        if options.dry_run:
            yield Written(path, sum([len(batch) async for batch in rows]))
        else:
            yield Written(path, await _written(path, rows, of, options))
        at = end


def name(noun: str, of: Listed, ts: int, format_: str) -> str:
    """Return a file's name, which any file system takes."""
    symbol = of.instrument.symbol.replace("/", "-").replace(":", "_")
    return f"{noun}-{of.instrument.exchange}-{symbol}-{to_datetime(ts).date()}.{format_}"


def _demand_free(path: Path, *, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        message = f"{path} is there already: --overwrite writes it anew"
        raise InvalidInputError(message, where="out")
    path.parent.mkdir(parents=True, exist_ok=True)


async def _written(
    path: Path, batches: "AsyncIterator[Sequence[Record]]", of: Listed, options: Options
) -> int:
    _demand_free(path, overwrite=options.overwrite)
    part = path.with_name(f"{path.name}.part")
    rows = 0
    try:
        with part.open("wb") as file:
            with _writer(file, _schema(options.noun), options.format) as writer:
                async for records in batches:
                    cast("_Writer", writer).write_batch(_batch(records, of, options.noun))
                    rows += len(records)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    return rows


def _schema(noun: str) -> pa.Schema:
    return pa.schema({"exchange": _WORD, "symbol": _WORD, **COLUMNS[noun]})


def _writer(file: Any, schema: pa.Schema, format_: str) -> AbstractContextManager[Any]:  # noqa: ANN401 - any file
    packed = pyarrow.ipc.IpcWriteOptions(compression="zstd")
    made: AbstractContextManager[Any]
    match format_:
        case "csv":
            made = pyarrow.csv.CSVWriter(file, schema)
        case "arrow":
            made = pyarrow.ipc.new_file(file, schema, options=packed)
        case _:
            made = pq.ParquetWriter(file, schema, compression="zstd")
    return made


def _batch(records: "Sequence[Record]", of: Listed, noun: str) -> pa.RecordBatch:
    columns = [list(each) for each in zip(*records, strict=True)]
    names = list(COLUMNS[noun])
    if noun == "trades":
        side = names.index("side")
        columns[side] = [_SIDES[each] for each in columns[side]]
    whose = ([of.instrument.exchange] * len(records), [of.instrument.symbol] * len(records))
    schema = _schema(noun)
    arrays = [pa.array(values, type_) for values, type_ in zip((*whose, *columns), schema.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
