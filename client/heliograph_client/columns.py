"""Rows as columns: what a DataFrame is made of."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import msgspec

from heliograph_client.rows import Row


def columns(rows: Iterable[Row], kind: type[Row]) -> dict[str, list[Any]]:
    """Return a list a field, all equally long; fields of fields become columns like ``evidence.rsi``.

    Where a row has no such field its column holds None. No rows give empty columns.
    """
    flat = [dict(_flat("", msgspec.structs.asdict(row))) for row in rows]
    names = dict.fromkeys(chain(*flat) if flat else kind.__struct_fields__)
    parents = {name.rpartition(".")[0] for name in names}
    return {name: [row.get(name) for row in flat] for name in names if name not in parents}


def _flat(prefix: str, fields: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        inside = msgspec.structs.asdict(value) if isinstance(value, Row) else value
        if isinstance(inside, dict):
            yield from _flat(f"{prefix}{name}.", inside)
        else:
            yield f"{prefix}{name}", value
