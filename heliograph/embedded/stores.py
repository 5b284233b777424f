"""The parent's side of the guardian: start the embedded stores, know where they are, stop them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Self

from market.errors import StackError

_STOP_SECONDS = 9.0


class Stores:
    """Embedded stores in a process of their own; they end with us, however we end."""

    def __init__(self, data_dir: Path | None) -> None:
        """Describe the stores of ``data_dir``; None: quick ones, removed at the end."""
        self._place = "--throwaway" if data_dir is None else str(data_dir)
        self._guardian: subprocess.Popen[bytes] | None = None
        self.database_url = ""
        self.redis_url = ""

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """Return the guardian's process."""
        return self._guardian

    def start(self) -> Self:
        """Start the stores and return when both take connections; raises StackError with the reason."""
        self._guardian = subprocess.Popen(  # noqa: S603  # ourselves
            [sys.executable, "-m", "heliograph.embedded", self._place],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C at the terminal is for us alone: the stores stop last
        )
        line = self._guardian.stdout.readline() if self._guardian.stdout else b""
        answer = json.loads(line or b'{"error": "the embedded stores ended before they were ready"}')
        if "error" in answer:
            self.stop()
            raise StackError(answer["error"])
        self.database_url, self.redis_url = answer["database_url"], answer["redis_url"]
        return self

    def stop(self) -> None:
        """Have both stores stopped and wait until they are gone. Idempotent."""
        guardian, self._guardian = self._guardian, None
        if guardian is None:
            return
        guardian.terminate()
        for pipe in (guardian.stdin, guardian.stdout):
            if pipe is not None:
                pipe.close()
        try:
            guardian.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            guardian.kill()
            guardian.wait()
