"""What can go wrong.

::

    ClientError
    ├── InvalidQuestionError
    ├── MissedError
    ├── ProtocolError
    ├── RefusedError
    │   └── BusyError
    └── UnreachableError
"""

from collections.abc import Mapping


class ClientError(Exception):
    """The root: catch this to catch all."""


class InvalidQuestionError(ClientError, ValueError):
    """What was asked makes no sense; nothing was sent."""


class UnreachableError(ClientError):
    """Nobody answers at the address, however often it was tried."""


class RefusedError(ClientError):
    """The API said no. ``code`` and ``status`` are its numbers, where it gave any; docs/api.md lists them."""

    def __init__(self, message: str, *, code: int | None = None, status: int | None = None) -> None:
        """Say what was refused."""
        super().__init__(message)
        self.code = code
        self.status = status


class BusyError(RefusedError):
    """The API cannot answer now; it was asked again, and said the same each time."""

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        status: int | None = None,
        retry_after_seconds: float = 0.0,
    ) -> None:
        """Say what was refused, and when to ask again."""
        super().__init__(message, code=code, status=status)
        self.retry_after_seconds = retry_after_seconds


class MissedError(ClientError):
    """The log does not hold all that came since the last offset: read it over REST.

    ``missing`` names the first and last offset of each stream that will not come. ``other_log``: offsets
    from before mean nothing any more, as after a restore of the server's database. Iterate the stream
    again to go on with what comes after.
    """

    def __init__(self, missing: Mapping[str, tuple[int, int]], *, other_log: bool) -> None:
        """Name what is missing."""
        ranges = ", ".join(f"{stream} {first} to {last}" for stream, (first, last) in missing.items())
        log = "the log is another than before" if other_log else "the log begins later"
        super().__init__(f"{log}; missing: {ranges or 'nothing that it has'}; read it over REST, then go on")
        self.missing = dict(missing)
        self.other_log = other_log


class ProtocolError(ClientError):
    """What came is not as documented: the server is another version, or another program."""
