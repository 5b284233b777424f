"""An embedded PostgreSQL 18: its cluster, its start, its stop."""

import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from heliograph.embedded import tuning
from heliograph.embedded.accounts import Account, identity
from heliograph.embedded.binaries import postgres_folder
from heliograph.embedded.children import end, processes_in, spawn, tail_of
from heliograph.embedded.folders import sockets_of
from market.errors import StackError

NAME = "heliograph"
"""Of the database and of its owner."""

MAJOR = "18"
_START_SECONDS = 60.0
_LOOK_AGAIN_SECONDS = 0.01
_STOP = ((signal.SIGINT, 4.5), (signal.SIGQUIT, 0.5))
_STATUS_LINE = 7
_LOG_BYTES = 10 << 20


class Postgres:
    """A cluster in ``home``, reached by a socket that only its user may use.

    Without ``durable`` it is quick and a crash may lose everything: for tests.
    """

    def __init__(self, home: Path, account: Account | None, *, durable: bool = True) -> None:
        """Describe the server; nothing is made or started yet."""
        self._account = account
        self._durable = durable
        self._home = home
        self._cluster = home / "postgres"
        self._log = home / "postgres.log"
        self._sockets = sockets_of(home)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return what ``HELIOGRAPH_DATABASE_URL`` is to say."""
        return f"postgresql://{NAME}@/{NAME}?host={quote(str(self._sockets))}"

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """Return the running postmaster."""
        return self._process

    def start(self, patience_seconds: float = 0.0) -> None:
        """Make the cluster if there is none, start it, and return when it takes connections.

        Another postmaster of this cluster gets ``patience_seconds`` to end.
        """
        binaries = postgres_folder(self._account)
        self._refuse_twice(patience_seconds)
        if not self._cluster.exists():
            self._create(binaries)
        self._refuse_other_major()
        self._shorten_log()
        self._process = spawn(
            [binaries / "postgres", *self._arguments()],
            account=self._account,
            folder=self._cluster,
            log=self._log,
            last_words=signal.SIGINT,
        )
        self._wait_until_ready(self._process)

    def stop(self) -> None:
        """Shut down fast: sessions are ended, everything committed is kept. Idempotent."""
        if self._process is not None:
            end(self._process, _STOP)
            self._process = None

    def _create(self, binaries: Path) -> None:
        """Make the cluster aside and move it into place whole: a half-made one is never started."""
        draft = self._home / "postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        options = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        syncing = [] if self._durable else ["--no-sync"]
        # The socket's folder is the lock: whoever may enter it is trusted, and nothing listens on TCP.
        owner = ["--username", NAME, "--auth-local=trust", "--auth-host=reject", "--no-instructions"]
        self._run([binaries / "initdb", "-D", draft, *owner, *options, *syncing])
        self._run([binaries / "postgres", "--single", "-D", draft, "postgres"], f"CREATE DATABASE {NAME};\n")
        draft.rename(self._cluster)

    def _run(self, command: list[str | Path], statement: str = "") -> None:
        done = subprocess.run(  # noqa: S603  # binaries of a locked wheel
            command,
            cwd=self._home,
            input=statement,
            capture_output=True,
            text=True,
            check=False,
            **identity(self._account),
        )
        if done.returncode != 0:
            message = f"{Path(command[0]).name} failed in {self._home}: {done.stderr.strip()}"
            raise StackError(message)

    def _arguments(self) -> list[str | Path]:
        settings = tuning.settings(tuning.memory_bytes(), durable=self._durable)
        settings["unix_socket_directories"] = str(self._sockets)
        return ["-D", self._cluster, *(word for item in settings.items() for word in ("-c", "=".join(item)))]

    def _refuse_twice(self, patience_seconds: float) -> None:
        """Raise if this cluster runs already; forget the postmaster.pid of one that crashed."""
        recorded = self._status()
        if not recorded:
            return
        deadline = time.monotonic() + patience_seconds
        while processes_in(self._cluster):
            # Sessions of a killed postmaster leave by themselves; a start beside them would corrupt.
            if time.monotonic() >= deadline:
                message = f"PostgreSQL runs already in {self._cluster}, as process {recorded[0]}: stop it"
                raise StackError(message)
            time.sleep(_LOOK_AGAIN_SECONDS)
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)

    def _refuse_other_major(self) -> None:
        version = (self._cluster / "PG_VERSION").read_text().strip()
        if version != MAJOR:
            message = (
                f"{self._cluster} was made by PostgreSQL {version}, and this is {MAJOR}: dump and restore it"
            )
            raise StackError(message)

    def _shorten_log(self) -> None:
        if self._log.exists() and self._log.stat().st_size > _LOG_BYTES:
            self._log.replace(self._log.with_suffix(".log.old"))

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        """Wait as pg_ctl does: for the word in the postmaster's own file."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            status = self._status()
            if (
                len(status) > _STATUS_LINE
                and status[0] == str(process.pid)
                and status[_STATUS_LINE] == "ready"
            ):
                return
            if process.poll() is not None:
                message = f"PostgreSQL ended while it started; {self._log} says: {tail_of(self._log)}"
                raise StackError(message)
            time.sleep(_LOOK_AGAIN_SECONDS)
        self.stop()
        message = f"PostgreSQL was not ready within {_START_SECONDS:.0f} s; see {self._log}"
        raise StackError(message)

    def _status(self) -> list[str]:
        try:
            return [line.strip() for line in (self._cluster / "postmaster.pid").read_text().splitlines()]
        except FileNotFoundError:
            return []
