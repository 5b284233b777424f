"""Connections of commands that change something: whatever they change is written down with who did."""

import getpass
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from db.audit import act_as
from db.connections import connected
from heliograph.whereabouts import database_url

if TYPE_CHECKING:
    from db.connections import Connection


@asynccontextmanager
async def changing(data_dir: Path | None, command: str) -> "AsyncIterator[Connection]":
    """Open a connection of ``heliograph COMMAND``, on which this user acts."""
    async with connected(database_url(data_dir), f"heliograph {command}") as connection:
        await act_as(connection, actor(command))
        yield connection


def actor(command: str) -> str:
    """Return who acts by a command: ``alice@host by heliograph feeds``."""
    return f"{_user()}@{socket.gethostname()} by heliograph {command}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        return "somebody"
