"""Driver errors, told in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from market.errors import StoreBusyError, StoreConflictError, StoreError, StoreUnavailableError

_UNAVAILABLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalClientError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)
_BUSY = (
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.QueryCanceledError,
    asyncpg.InsufficientResourcesError,
)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise what the driver raises as StoreError, saying what we were ``doing``."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        raise _in_our_words(error, doing) from error


def _in_our_words(error: BaseException, doing: str) -> StoreError:
    what = f"{doing}: {type(error).__name__}: {error}"
    if isinstance(error, asyncpg.UniqueViolationError):
        return StoreConflictError(what)
    if isinstance(error, _BUSY):
        return StoreBusyError(f"{what}; try again")
    if isinstance(error, _UNAVAILABLE):
        return StoreUnavailableError(f"{what}; is PostgreSQL running, and HELIOGRAPH_DATABASE_URL right?")
    return StoreError(what)
