"""Named statements from ``db/sql/<noun>.sql``.

A file is a list of blocks: ``-- name: lock_due``, a line that says why, the statement.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from types import SimpleNamespace

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def load(noun: str) -> SimpleNamespace:
    """Return the statements of one noun as attributes."""
    return SimpleNamespace(**dict(_blocks(files("db").joinpath("sql", f"{noun}.sql").read_text())))


def nouns() -> list[str]:
    """Return the nouns that have statements."""
    return sorted(file.name.removesuffix(".sql") for file in files("db").joinpath("sql").iterdir())


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    pieces = _NAME.split(text)[1:]
    for name, body in zip(pieces[::2], pieces[1::2], strict=True):
        yield name, body.strip()
