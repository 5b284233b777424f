"""Connections end, whatever became of the server."""

import asyncpg
import pytest

from db.connections import connected


@pytest.mark.parametrize(
    "broken",
    [BrokenPipeError(32, "Broken pipe"), TimeoutError(), asyncpg.InterfaceError("another operation")],
)
async def test_a_connection_that_breaks_while_it_is_closed_is_closed(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, broken: Exception
) -> None:
    """As the driver does when the server went away in the middle of an operation."""

    async def close(*_: object, **__: object) -> None:
        raise broken

    monkeypatch.setattr(asyncpg.Connection, "close", close)
    async with connected(postgres_url, "test") as connection:
        pass
    assert connection.is_closed()
