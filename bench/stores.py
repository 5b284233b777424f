"""Durable stores of a benchmark's own, in folders that are removed at the end."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import asyncpg

from heliograph.embedded import folders
from heliograph.embedded.accounts import unprivileged
from heliograph.embedded.postgres import Postgres
from heliograph.embedded.valkey import Valkey

_numbers = count(1)
_PORT: Final = 5432


@contextmanager
def postgres() -> Iterator[str]:
    """Run a PostgreSQL that syncs every commit to disk, and give its address."""
    home = folders.throwaway_home(unprivileged())
    server = Postgres(home, unprivileged(), durable=True)
    try:
        server.start()
        yield server.url
    finally:
        server.stop()
        folders.remove(home)


@contextmanager
def valkey() -> Iterator[str]:
    """Run a Valkey, and give its address."""
    home = folders.throwaway_home(unprivileged())
    server = Valkey(home, unprivileged())
    try:
        server.start()
        yield server.url
    finally:
        server.stop()
        folders.remove(home)


@asynccontextmanager
async def copied(url: str) -> AsyncIterator[str]:
    """Copy the database at ``url``, on which nobody is, and drop the copy at the end."""
    name = f"copy_{next(_numbers)}"
    server = _named(url, "postgres")
    await _execute(server, f"CREATE DATABASE {name} TEMPLATE {_name(url)}")
    try:
        yield _named(url, name)
    finally:
        await _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def parts(url: str) -> dict[str, str | int]:
    """Return where the server and the database of ``url`` are, for clients that take no address."""
    split = urlsplit(url)
    query = dict(parse_qsl(split.query))
    return {
        "host": query.get("host") or split.hostname or "",
        "port": int(query.get("port") or split.port or _PORT),
        "user": query.get("user") or split.username or "",
        "database": _name(url),
    }


def _name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


def _named(url: str, database: str) -> str:
    address, _, query = url.partition("?")
    return f"{address.rpartition('/')[0]}/{database}?{query}"


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
