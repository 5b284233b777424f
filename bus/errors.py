"""Driver errors, told in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError

from market.errors import BusUnavailableError


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise what the driver raises as BusUnavailableError, saying what we were ``doing``."""
    try:
        yield
    except (RedisError, OSError) as error:
        message = f"{doing}: {type(error).__name__}: {error}; everything goes on through PostgreSQL"
        raise BusUnavailableError(message) from error
