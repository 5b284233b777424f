"""Ticks as PostgreSQL's binary COPY format, encoded by numpy.

Source: https://www.postgresql.org/docs/18/sql-copy.html, "Binary Format": a header, then for
each row the number of fields and each field as its length and its big-endian bytes.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_POSTGRES_EPOCH: Final = 946_684_800_000_000
"""2000-01-01 in microseconds since 1970: from where timestamptz counts."""

_FLOAT8: Final = 701
"""The oid of double precision, of which arrays tell their elements to be."""

Column = tuple[str, str, NDArray[Any]]
"""A column's name, its big-endian numpy type, and its values."""


def times(values: Iterable[int], count: int) -> NDArray[np.int64]:
    """Return microseconds since 1970 as timestamptz has them."""
    return np.fromiter(values, np.int64, count) - _POSTGRES_EPOCH


def rows(columns: Sequence[Column]) -> bytes:
    """Return the COPY of fixed-width columns of equal length."""
    return _HEADER + _fixed(columns).tobytes() + _TRAILER


def rows_with_arrays(
    columns: Sequence[Column], arrays: Sequence[Sequence[Sequence[float]]], last: Column
) -> bytes:
    """Return the COPY of fixed-width columns, then arrays of doubles, then one fixed-width column."""
    head = _pieces(_fixed(columns, len(columns) + len(arrays) + 1))
    tail = _pieces(_fields([last]))
    pieces = zip(head, *[_array_fields(values) for values in arrays], tail, strict=True)
    return b"".join([_HEADER, *chain.from_iterable(pieces), _TRAILER])


def _fixed(columns: Sequence[Column], fields: int | None = None) -> NDArray[np.void]:
    table = _fields(columns, [("fields", ">i2")])
    table["fields"] = fields or len(columns)
    return table


def _fields(columns: Sequence[Column], before: Sequence[tuple[str, str]] = ()) -> NDArray[np.void]:
    layout = list(before)
    for name, kind, _ in columns:
        layout += [(f"{name} length", ">i4"), (name, kind)]
    table = np.empty(len(columns[0][2]), dtype=layout)
    for name, kind, values in columns:
        table[f"{name} length"] = np.dtype(kind).itemsize
        table[name] = values
    return table


def _pieces(table: NDArray[np.void]) -> list[bytes]:
    data, width = table.tobytes(), table.dtype.itemsize
    return [data[at : at + width] for at in range(0, len(data), width)]


def _array_fields(values: Sequence[Sequence[float]]) -> list[bytes]:
    lengths = [len(array) for array in values]
    flat = np.fromiter(chain.from_iterable(values), np.float64, sum(lengths))
    elements = _fields([("element", ">f8", flat)])
    data, width = elements.tobytes(), elements.dtype.itemsize
    heads = {length: _array_head(length, width) for length in set(lengths)}
    result, at = [], 0
    for length in lengths:
        result.append(heads[length] + data[at : at + length * width])
        at += length * width
    return result


def _array_head(length: int, width: int) -> bytes:
    """Return the field's length, then the array's dimensions, flags, element type, length, lower bound."""
    shape = [1, 0, _FLOAT8, length, 1] if length else [0, 0, _FLOAT8]
    size = 4 * len(shape) + length * width
    return np.array([size, *shape], dtype=">i4").tobytes()
