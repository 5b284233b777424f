"""``heliograph db logins``: database roles that programs log in as, each with the rights it needs."""

import asyncio
import sys
from pathlib import Path

from db import logins
from db.connections import connected
from heliograph.whereabouts import database_url
from market.errors import StoreError

_REFUSED = (
    "this user may not create database roles: give what `heliograph db logins --sql` prints to who may, "
    "or go on without; then programs log in as this user, and may do what it may"
)


def make(data_dir: Path | None) -> None:
    """Make them all, or mend them, and say which there are; raises StoreError."""
    asyncio.run(_make(database_url(data_dir)))
    for login in logins.LOGINS:
        told = f"at most {login.connections} connections, writes {len(login.writes)} tables"
        sys.stdout.write(f"{login.name}: {told}\n")


def show(data_dir: Path | None) -> None:
    """Print the statements that make them, for psql."""
    statements = asyncio.run(_script(database_url(data_dir)))
    sys.stdout.write("".join(f"{statement};\n" for statement in statements))


async def _make(url: str) -> None:
    async with connected(url, "heliograph db") as connection:
        if not await logins.may_make(connection):
            raise StoreError(_REFUSED)
        await logins.make(connection)


async def _script(url: str) -> list[str]:
    async with connected(url, "heliograph db") as connection:
        return await logins.script(connection)
