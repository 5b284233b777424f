"""What an answer is written in: a page of JSON, or all rows as lines of JSON or of CSV."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from pydantic import BaseModel


class Format(StrEnum):
    """How rows are written."""

    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


_MEDIA_TYPES: Final = {
    "application/json": Format.JSON,
    "application/*": Format.JSON,
    "*/*": Format.JSON,
    "application/x-ndjson": Format.NDJSON,
    "application/ndjson": Format.NDJSON,
    "application/jsonl": Format.NDJSON,
    "text/csv": Format.CSV,
}

FORMATS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A page of JSON; or all rows, streamed, a line each.",
        "content": {
            "application/x-ndjson": {"schema": {"type": "string", "description": "A row a line."}},
            "text/csv": {"schema": {"type": "string", "description": "The first line names the fields."}},
        },
    }
}
"""What a route that lists tells OpenAPI beside its model."""


def chosen(asked: Format | None, accept: str) -> Format:
    """Return the format that is asked for, by the parameter or else by ``Accept``."""
    if asked is not None:
        return asked
    known = [(quality, _MEDIA_TYPES[name]) for name, quality in _accepted(accept) if name in _MEDIA_TYPES]
    return max(known, key=lambda each: each[0])[1] if known else Format.JSON


def _accepted(accept: str) -> Iterable[tuple[str, float]]:
    for part in accept.split(","):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        quality = _quality(parameters)
        if quality > 0:
            yield name, quality


def _quality(parameters: Iterable[str]) -> float:
    for each in parameters:
        if each.startswith("q="):
            try:
                return float(each[2:])
            except ValueError:
                return 0.0
    return 1.0


class Writer(NamedTuple):
    """Writes rows of one noun as lines: ``head`` before the first, ``lines`` some at a time."""

    media_type: str
    head: bytes
    lines: Callable[[Sequence[BaseModel]], bytes]


def writer(format_: Format, row: type[BaseModel]) -> Writer:
    """Return what writes rows of this model."""
    if format_ is Format.CSV:
        return Writer("text/csv; charset=utf-8; header=present", _csv([list(row.model_fields)]), _csv_lines)
    return Writer("application/x-ndjson", b"", _json_lines)


def _json_lines(rows: Sequence[BaseModel]) -> bytes:
    return "".join(f"{row.model_dump_json()}\n" for row in rows).encode()


def _csv_lines(rows: Sequence[BaseModel]) -> bytes:
    return _csv([_cell(value) for value in row.model_dump(mode="json").values()] for row in rows)


def _csv(lines: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    """Return what stands in a cell: nothing for null, JSON for what is nested or true or false."""
    return json.dumps(value, separators=(",", ":")) if isinstance(value, dict | list | bool) else value
