"""What the driver raises, told in our words."""

import asyncpg
import pytest

from db.errors import translated
from market.errors import StoreUnavailableError


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        ConnectionResetError(),
        TimeoutError(),
    ],
)
def test_whatever_a_lost_connection_raises_is_unavailable(error: Exception) -> None:
    with pytest.raises(StoreUnavailableError, match="writing ticks") as caught, translated("writing ticks"):
        raise error
    assert error is caught.value.__cause__
    assert caught.value.retryable
