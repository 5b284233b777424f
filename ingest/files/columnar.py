"""Parquet and Arrow, a batch at a time, as rows of text."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
import pyarrow.parquet as pq

from market.errors import InvalidInputError

_BATCH_ROWS: Final = 4096
_BUFFER_BYTES: Final = 1 << 20


def rows(file: Any, *, parquet: bool) -> tuple[Sequence[str], Iterator[Sequence[str]]]:  # noqa: ANN401 - any file
    """Return the names of a file's columns, and its rows; raises InvalidInputError for what is damaged."""
    try:
        if parquet:
            opened = pq.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False)
            return opened.schema_arrow.names, _rows(opened.iter_batches(_BATCH_ROWS))
        reader = pyarrow.ipc.open_file(file)
        batches = (reader.get_batch(place) for place in range(reader.num_record_batches))
        return reader.schema.names, _rows(batches)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error) from error


def _rows(batches: Iterator[pa.RecordBatch]) -> Iterator[Sequence[str]]:
    try:
        for batch in batches:
            columns = [_texts(column) for column in batch.columns]
            yield from zip(*columns, strict=True)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error) from error


def _texts(column: pa.Array) -> list[str]:
    """Return values as text that says them exactly; times as counts of their unit."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    texts: list[str] = pc.fill_null(column.cast(pa.string()), "").to_pylist()
    return texts


def _damaged(error: Exception) -> InvalidInputError:
    message = f"the file cannot be read: {error}"
    return InvalidInputError(message, where="file")
