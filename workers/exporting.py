"""Rows of a day into a file: trades, quotes, depths, bars, or signals, in constant memory."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, cast

from db import exports
from db.instruments import Listed
from market.errors import ConfigurationError, InvalidInputError
from market.times import DAY, floor, to_datetime

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
    "quotes": {
        "ts": _TIME,
        "update_id": pa.int64(),
        **dict.fromkeys(("bid_price", "bid_size", "ask_price", "ask_size"), pa.float64()),
        "received_at": _TIME,
    },
    "depths": {
        "ts": _TIME,
        "update_id": pa.int64(),
        **dict.fromkeys(("bid_prices", "bid_sizes", "ask_prices", "ask_sizes"), pa.list_(pa.float64())),
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


class Plan(NamedTuple):
    """What to write, of [from_ts, to_ts), and where to."""

    noun: str
    from_ts: int
    to_ts: int
    format: str
    out: Path
    overwrite: bool
    dry_run: bool = False


class Written(NamedTuple):
    """A file, and how many rows are in it."""

    path: Path
    rows: int


class _Writer(Protocol):
    def write_batch(self, batch: pa.RecordBatch) -> None: ...


async def days(connection: "Connection", of: Listed, plan: Plan) -> AsyncIterator[Written]:
    """Write the days that have any rows, one after another; a file is there whole or not at all."""
    at, to_ts = plan.from_ts, plan.to_ts
    while (begin := await exports.first(connection, plan.noun, of, at, to_ts)) is not None:
        end = min(floor(begin, DAY) + DAY, to_ts)
        path = plan.out / name(plan.noun, of, begin, plan.format)
        rows = exports.batches(connection, plan.noun, of, at, end)
        if plan.dry_run:
            yield Written(path, sum([len(batch) async for batch in rows]))
        else:
            yield Written(path, await _written(path, rows, of, plan))
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


async def _written(path: Path, batches: "AsyncIterator[Sequence[Record]]", of: Listed, plan: Plan) -> int:
    _demand_free(path, overwrite=plan.overwrite)
    part = path.with_name(f"{path.name}.part")
    rows = 0
    try:
        with part.open("wb") as file:
            with _writer(file, _schema(plan.noun), plan.format) as writer:
                async for records in batches:
                    batch = await asyncio.to_thread(_batch, records, of, plan.noun)
                    await asyncio.to_thread(cast("_Writer", writer).write_batch, batch)
                    rows += len(records)
            file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())
        part.replace(path)
        await asyncio.to_thread(sync_folder, path.parent)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    return rows


def sync_folder(folder: Path) -> None:
    """Have the names in a folder outlive a loss of power."""
    if os.name == "nt":
        return  # folders cannot be opened there
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
