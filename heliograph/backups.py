"""``heliograph backup`` and ``restore``: a folder with a dump, and what it must hold once restored."""

import asyncio
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec
import typer

from db import audit, digests, restores
from db.connections import connected
from db.digests import SESSION, Digest
from db.settings import DatabaseSettings
from heliograph import dumping
from heliograph.changing import actor
from heliograph.data_folders import Purpose, claim, usable
from heliograph.embedded.stores import Stores
from heliograph.locks import held
from heliograph.whereabouts import database_url
from market.errors import InvalidInputError, StackError
from market.times import to_iso
from runtime.clock import now

_DUMP: Final = "dump"
_MANIFEST: Final = "manifest.json"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds: digests of all tables, as of the one moment that was dumped."""

    made_at: str
    version: str
    revision: str
    purpose: str
    tables: dict[str, Digest]

    @property
    def rows(self) -> int:
        """Return how many rows there are in all."""
        return sum(each.rows for each in self.tables.values())


def backup(folder: Path, data_dir: Path | None) -> None:
    """Write a backup into a new folder, whole or not at all; everything goes on meanwhile."""
    if folder.exists():
        message = f"{folder} exists already: choose another, backups are never written over"
        raise InvalidInputError(message, where="folder")
    draft = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    try:
        manifest = asyncio.run(_dumped(database_url(data_dir), draft / _DUMP, _purpose(data_dir)))
        (draft / _MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    size = sum(file.stat().st_size for file in (folder / _DUMP).iterdir())
    _say(f"{folder}: {len(manifest.tables)} tables, {manifest.rows:,} rows, {size:,} bytes")


def restore(folder: Path, data_dir: Path | None, *, dry_run: bool) -> None:
    """Restore a backup into an empty database, and compare; exit with 1 unless all is equal."""
    manifest = _read(folder)
    what = f"{len(manifest.tables)} tables, {manifest.rows:,} rows of {manifest.made_at}"
    if dry_run and data_dir is not None and not (data_dir / "stores").exists():
        _say(f"would be restored: {what}")
        return
    with _target(data_dir, Purpose(manifest.purpose)) as url:
        asyncio.run(_demand_empty(url))
        if dry_run:
            _say(f"would be restored: {what}")
            return
        dumping.demand_restorer()
        asyncio.run(_begin(url))
        dumping.restore(url, folder / _DUMP)
        unequal = asyncio.run(_compared(url, manifest))
    for line in unequal:
        _say(line)
    if unequal:
        _say("what is there now is no whole backup: start nothing on it, and empty it before another try")
        raise typer.Exit(1)
    _say(f"restored, and equal: {what}; before roles start: heliograph db migrate (up does it by itself)")


async def _dumped(url: str, folder: Path, purpose: Purpose) -> Manifest:
    async with digests.snapshot(url) as (connection, name):
        made_at = to_iso(now())
        await asyncio.to_thread(dumping.dump, url, folder, name)
        return Manifest(
            made_at=made_at,
            version=version("heliograph"),
            revision=await digests.revision(connection),
            purpose=purpose,
            tables=await digests.digests(connection),
        )


async def _demand_empty(url: str) -> None:
    async with connected(url, "heliograph restore") as connection:
        if not await digests.is_empty(connection):
            message = "the database has tables already: a backup is restored into an empty one"
            raise StackError(message)


async def _begin(url: str) -> None:
    async with connected(url, "heliograph restore") as connection:
        await restores.begin(connection)


async def _compared(url: str, manifest: Manifest) -> list[str]:
    """Return what is not as it was; where all is, the database is whole, and its log has another name."""
    async with connected(url, "heliograph restore", SESSION) as connection, connection.transaction():
        await restores.end(connection)
        unequal = list(_differences(manifest.tables, await digests.digests(connection)))
        if unequal:
            await restores.begin(connection)
            return unequal
        await restores.rename_log(connection)
        if await audit.is_kept(connection):  # a backup of long ago has no audit log yet
            await audit.act_as(connection, actor("restore"), in_transaction=True)
            await audit.note(connection, "database", "restore", after={"made_at": manifest.made_at})
    return unequal


def _differences(wanted: Mapping[str, Digest], found: Mapping[str, Digest]) -> Iterator[str]:
    for table in sorted({*wanted, *found}):
        before, after = wanted.get(table), found.get(table)
        if before != after:
            rows = [str(each.rows) if each else "no" for each in (before, after)]
            yield f"{table} is not equal: {rows[0]} rows were saved, {rows[1]} are there"


def _read(folder: Path) -> Manifest:
    try:
        return msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        message = f"{folder} is no backup of ours: {error}"
        raise InvalidInputError(message, where="folder") from error


@contextmanager
def _target(data_dir: Path | None, purpose: Purpose) -> Iterator[str]:
    """Give the database of the environment, or that of a data folder, whose stores run meanwhile."""
    settings = DatabaseSettings()
    if data_dir is None:
        if "url" not in settings.model_fields_set:
            message = "say where to restore: --data-dir NEW, or HELIOGRAPH_DATABASE_URL"
            raise InvalidInputError(message, where="data-dir")
        yield settings.url.get_secret_value()
        return
    with usable(data_dir):
        folder = claim(data_dir, purpose)
    with held(folder / "lock"):
        stores = Stores(folder)
        try:
            yield stores.start().database_url
        finally:
            stores.stop()


def _purpose(data_dir: Path | None) -> Purpose:
    mark = data_dir / "purpose" if data_dir else None
    return Purpose(mark.read_text().strip()) if mark and mark.exists() else Purpose.LIVE


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
