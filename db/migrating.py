"""Bring a database to the schema of this version, once, however many ask at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from db.errors import translated
from db.restores import IS_PART
from db.schema import metadata
from market.errors import StoreError

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x48454C49
"""The advisory lock that migrations hold: 'HELI'."""

_PART = "the database holds a part of a backup, as its restore did not end: empty it, and restore again"


async def migrate(url: str, shards: int) -> str:
    """Migrate to the newest revision and return its name.

    ``shards`` counts only for a database that has none yet. Raises StoreError, for one that
    holds a part of a backup too.
    """
    return str(await _run("migrating the database", url, _upgrade, shards))


async def status(url: str) -> tuple[str | None, str]:
    """Return the revision that the database has and the newest one; raises StoreError."""
    current, newest = await _run("reading the database's revision", url, _revisions)
    return current, newest


async def drift(url: str) -> list[Any]:
    """Return the differences between the migrated database and db.schema; none is right."""
    return list(await _run("comparing the schema", url, _compare))


async def _run(doing: str, url: str, work: Any, *arguments: Any) -> Any:  # noqa: ANN401 - passes through what `work` takes and gives
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        with translated(doing), _unwrapped():
            async with engine.begin() as connection:
                return await connection.run_sync(work, *arguments)
    finally:
        await engine.dispose()


@contextmanager
def _unwrapped() -> Iterator[None]:
    """Raise what the driver raised, which SQLAlchemy wraps twice."""
    try:
        yield
    except DBAPIError as error:
        cause = error.orig and error.orig.__cause__
        raise cause or asyncpg.InterfaceError(str(error)) from error


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection, shards: int) -> str:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    _demand_whole(connection)
    config = _config(connection)
    config.attributes["shards"] = shards
    command.upgrade(config, "head")
    return _revisions(connection)[1]


def _demand_whole(connection: Connection) -> None:
    if connection.scalar(text(IS_PART)):
        raise StoreError(_PART)


def _revisions(connection: Connection) -> tuple[str | None, str]:
    _demand_whole(connection)
    newest = ScriptDirectory.from_config(_config(connection)).get_current_head()
    return MigrationContext.configure(connection).get_current_revision(), str(newest)


def _compare(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection, opts={"include_name": _is_ours, "compare_server_default": True}
    )
    return list(compare_metadata(context, metadata))


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    if kind != "table":
        return True
    return name in metadata.tables
