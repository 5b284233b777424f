"""An embedded Valkey: a bus and a cache, so nothing of it is kept."""

import signal
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path

from heliograph.embedded.accounts import Account
from heliograph.embedded.binaries import valkey_server
from heliograph.embedded.children import end, spawn, tail_of
from heliograph.embedded.folders import sockets_of
from market.errors import StackError

_START_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 0.01
_STOP = ((signal.SIGTERM, 2.0),)
_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    "daemonize": "no",
    "databases": "1024",
    "maxmemory": "256mb",
    "maxmemory-policy": "allkeys-lru",
}


class Valkey:
    """A server in ``home``, reached by a socket that only its user may use."""

    def __init__(self, home: Path, account: Account | None) -> None:
        """Describe the server; nothing is started yet."""
        self._account = account
        self._home = home
        self._log = home / "valkey.log"
        self._socket = sockets_of(home) / "valkey.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return what ``HELIOGRAPH_REDIS_URL`` is to say."""
        return f"unix://{self._socket}"

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """Return the running server."""
        return self._process

    def start(self) -> None:
        """Start the server and return when it answers."""
        self._log.unlink(missing_ok=True)
        settings = {**_SETTINGS, "unixsocket": str(self._socket), "dir": str(self._home)}
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        self._process = spawn(
            [valkey_server(self._account), *words],
            account=self._account,
            folder=self._home,
            log=self._log,
            last_words=signal.SIGTERM,
        )
        self._wait_until_ready(self._process)

    def stop(self) -> None:
        """Stop the server. Idempotent."""
        if self._process is not None:
            end(self._process, _STOP)
            self._process = None

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                message = f"Valkey ended while it started; {self._log} says: {tail_of(self._log)}"
                raise StackError(message)
            if self._answers():
                return
            time.sleep(_LOOK_AGAIN_SECONDS)
        self.stop()
        message = f"Valkey was not ready within {_START_SECONDS:.0f} s; see {self._log}"
        raise StackError(message)

    def _answers(self) -> bool:
        with closing(socket.socket(socket.AF_UNIX)) as client:
            try:
                client.connect(str(self._socket))
                client.sendall(b"PING\r\n")
                return client.recv(7) == b"+PONG\r\n"
            except OSError:
                return False
