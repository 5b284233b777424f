"""PostgreSQL's own tools for dumps: those of the embedded wheel, else those of the path."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from heliograph.embedded.binaries import postgres_folder
from market.errors import StackError

JOBS: Final = 2
"""Processes that dump or restore beside each other."""

_REMEDY = "install heliograph[local], or PostgreSQL 18's client programs"


def dump(url: str, folder: Path, snapshot: str) -> None:
    """Write what the snapshot sees into a new folder; raises StackError."""
    options = ["--format=directory", f"--jobs={JOBS}", f"--snapshot={snapshot}", "--no-owner", "--no-acl"]
    _run("pg_dump", url, [*options, f"--file={folder}"])


def demand_restorer() -> None:
    """Raise StackError where the program that restores is not here."""
    _found("pg_restore")


def restore(url: str, folder: Path) -> None:
    """Bring a dump into an empty database; raises StackError."""
    options = ["--format=directory", f"--jobs={JOBS}", "--no-owner", "--no-acl", "--exit-on-error"]
    _run("pg_restore", url, [*options, str(folder)])


def apart(url: str) -> tuple[str, str | None]:
    """Return the address without its password, which others could read in the list of processes, and it."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    kept = []
    for each in parts.query.split("&"):
        key, _, value = each.partition("=")
        if key != "password":
            kept.append(each)
        elif not password:
            password = value
    bare = f"{parts.scheme}://{name}{at}{host}{parts.path}?{'&'.join(kept)}"
    return bare.removesuffix("?"), unquote(password) or None


def _run(program: str, url: str, options: list[str]) -> None:
    bare, password = apart(url)
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own program, and no shell
        [_found(program), f"--dbname={bare}", *options],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        message = f"{program} failed: {done.stderr.strip() or done.returncode}"
        raise StackError(message)


def _found(program: str) -> str:
    try:
        return str(postgres_folder(None) / program)
    except StackError:
        found = shutil.which(program)
    if found is None:
        message = f"{program} is not here: {_REMEDY}"
        raise StackError(message)
    return found
