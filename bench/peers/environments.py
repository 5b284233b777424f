"""Environments of peers: made once in the user's cache folder, with the versions that PEERS pins."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import rmtree, which
from typing import Final

from platformdirs import user_cache_path

from bench.rounds import Figures
from market.errors import HeliographError

PEERS: Final[Mapping[str, Sequence[str]]] = {
    "cryptofeed": ("cryptofeed==2.4.1", "asyncpg==0.32.0", "uvloop==0.23.0"),
    "pgqueuer": ("pgqueuer==1.6.0", "asyncpg==0.32.0", "uvloop==0.23.0", "msgspec==0.22.0", "numpy==2.4.6"),
    "procrastinate": (
        "procrastinate==3.10.0",
        "psycopg[binary,pool]==3.3.4",
        "uvloop==0.23.0",
        "msgspec==0.22.0",
        "numpy==2.4.6",
    ),
    "socketio": (
        "python-socketio==5.18.1",
        "redis[hiredis]==8.1.0",
        "uvicorn==0.54.0",
        "uvloop==0.23.0",
        "httptools==0.9.0",
        "websockets==17.4",
    ),
    "talipp": ("talipp==2.7.0",),
    "talib": ("ta-lib==0.8.2", "numpy==2.4.6"),
}
"""What is installed for each peer, to the version; what these depend on is chosen by pip."""

_SCRIPTS: Final = Path(__file__).parent
_TREE: Final = _SCRIPTS.parents[1]
_WHOLE: Final = "installed"
_TELLS_AT_MOST: Final = 2_000


async def interpreter(peer: str) -> Path:
    """Return the Python of a peer's environment, which is made where it is missing."""
    pins = PEERS[peer]
    digest = hashlib.sha256(" ".join((sys.version, *pins)).encode()).hexdigest()[:12]
    folder = user_cache_path("heliograph") / "bench" / f"{peer}-{digest}"
    python = folder / "bin" / "python"
    if not (folder / _WHOLE).exists():
        print(f"Installing {', '.join(pins)} into {folder}", file=sys.stderr)
        with suppress(FileNotFoundError):
            rmtree(folder)
        await _done(sys.executable, "-m", "venv", str(folder))
        await _done(str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *pins)
        (folder / _WHOLE).touch()
    return python


async def told(peer: str, script: str, plan: object) -> Figures:
    """Run a peer's script with a plan, and return the figures that it prints last."""
    process = await asyncio.create_subprocess_exec(
        await interpreter(peer), str(_SCRIPTS / script), stdin=PIPE, stdout=PIPE, env=environment()
    )
    out, _ = await process.communicate(json.dumps(plan).encode())
    if process.returncode:
        message = f"{script} ended with status {process.returncode}; what it wrote is above"
        raise HeliographError(message)
    figures: Figures = json.loads(out.splitlines()[-1])
    return figures


def environment() -> dict[str, str]:
    """Return the environment of a peer's process: this tree's pure packages can be imported."""
    return {**os.environ, "PYTHONPATH": str(_TREE)}


def program(name: str) -> Path | None:
    """Return where a program of Debian's is; as root it is installed where it is missing and can be had."""
    if _found(name) is None and os.geteuid() == 0 and which("apt-get"):
        command = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", name)
        subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - a name of ours
    return _found(name)


def _found(name: str) -> Path | None:
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
    found = which(name, path=path)
    return Path(found) if found else None


async def _done(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT)
    out, _ = await process.communicate()
    if process.returncode:
        message = (
            f"{' '.join(command)} ended with status {process.returncode}: {out.decode()[-_TELLS_AT_MOST:]}"
        )
        raise HeliographError(message)
