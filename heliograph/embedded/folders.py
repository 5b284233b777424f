"""Where the stores of a data folder live, and where their sockets fit.

An ordinary user's stores lie in the data folder. Root's belong to an unprivileged user who may be
unable to enter the data folder (``mktemp -d`` makes it 0700), so they lie under ``SYSTEM`` and the
data folder points to them. No folder that we did not make is ever changed.
"""

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from heliograph.embedded.accounts import Account
from heliograph.locks import held, open_unlinked
from market.errors import StackError
from market.instruments import stable_hash

SYSTEM = Path("/var/lib/heliograph")
IN_MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
SOCKET_PATH_BYTES = 107
_ENOUGH_BYTES = 2 * 2**30
_SIMULATED = "simulated"
_LONGEST_SOCKET = "/.s.PGSQL.5432.lock"


def home_of(data_dir: Path, account: Account | None) -> Path:
    """Return the folder of the stores of ``data_dir``, made at the first call."""
    data_dir.mkdir(parents=True, exist_ok=True)
    place = data_dir.absolute() / "stores"
    return _own_home(place) if account is None else _lent_home(place, account)


def throwaway_home(account: Account | None) -> Path:
    """Return a new folder for stores that nobody will miss: in memory where there is room for it.

    To make a database and drop it again takes 21 ms there, 298 ms on a disk.
    """
    if _has_room(IN_MEMORY):
        home = Path(tempfile.mkdtemp(prefix="heliograph-", dir=IN_MEMORY))
    elif account is None:
        home = Path(tempfile.mkdtemp(prefix="heliograph-"))
    else:
        return _new_system_home(account)
    if account is not None:
        os.chown(home, account.uid, account.gid)
    return home


def sockets_of(home: Path) -> Path:
    """Return where the sockets go: ``home``, or a short path where that is too long for a socket."""
    if len(os.fsencode(f"{home}{_LONGEST_SOCKET}")) <= SOCKET_PATH_BYTES:
        return home
    name = f"heliograph-{os.geteuid()}-{stable_hash(str(home)) & 0xFFFFFFFF:08x}"
    folder = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / name
    if len(os.fsencode(f"{folder}{_LONGEST_SOCKET}")) > SOCKET_PATH_BYTES:
        folder = Path("/tmp") / name  # noqa: S108  # private: made 0700, or refused below
    folder.mkdir(mode=0o700, exist_ok=True)
    _demand_private(folder)
    return folder


def sweep() -> None:
    """Remove root's stores of simulated ticks whose data folder is gone, or has others by now.

    Real ticks are never removed by themselves: their folder may only be on a disk that is not mounted.
    """
    for note in SYSTEM.glob("*/data_folder"):
        with suppress(FileNotFoundError, StackError):  # somebody else was quicker, or they run
            place, _, purpose = note.read_text().strip().partition("\n")
            if purpose == _SIMULATED and not _points_to(Path(place) / "stores", note.parent):
                with held(note.parent / "stores.lock"):
                    remove(note.parent)


def make_open(folder: Path) -> None:
    """Make ``folder``, enterable by everybody whatever the umask; one that exists is left as it is."""
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)


def remove(home: Path) -> None:
    """Remove throw-away stores."""
    shutil.rmtree(home, ignore_errors=True)


def _has_room(folder: Path) -> bool:
    """Tell whether throw-away stores fit; containers have 64 MB of shared memory unless told otherwise."""
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= _ENOUGH_BYTES


def _points_to(place: Path, home: Path) -> bool:
    return place.is_symlink() and place.readlink() == home


def _own_home(place: Path) -> Path:
    if place.is_symlink():
        message = (
            f"the stores of {place.parent} were made by root: start as root, or choose another --data-dir"
        )
        raise StackError(message)
    place.mkdir(mode=0o700, exist_ok=True)
    return place


def _lent_home(place: Path, account: Account) -> Path:
    if place.is_symlink():
        return _existing_system_home(place)
    if place.exists():
        message = f"the stores of {place.parent} were made by {place.owner()}: start as {place.owner()}"
        raise StackError(message)
    home = _new_system_home(account)
    place.symlink_to(home)
    with open_unlinked(home / "data_folder", "w") as note:
        note.write(f"{place.parent}\n{_purpose_of(place.parent)}\n")  # for whoever wonders whose these are
    return home


def _purpose_of(data_dir: Path) -> str:
    mark = data_dir / "purpose"
    return mark.read_text().strip() if mark.exists() else ""


def _existing_system_home(place: Path) -> Path:
    home = place.readlink()
    if not home.is_dir():
        message = f"{place} points to {home}, which is gone: restore it, or remove {place} to begin anew"
        raise StackError(message)
    return home


def _new_system_home(account: Account) -> Path:
    make_open(SYSTEM)
    home = SYSTEM / token_hex(6)
    home.mkdir(mode=0o700)
    os.chown(home, account.uid, account.gid)
    return home


def _demand_private(folder: Path) -> None:
    status = folder.lstat()
    private = stat.S_ISDIR(status.st_mode) and status.st_mode & 0o077 == 0
    if not private or status.st_uid != os.geteuid():
        message = f"{folder} is not a private folder of ours: remove it, or choose a shorter --data-dir"
        raise StackError(message)
