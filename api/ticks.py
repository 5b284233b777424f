"""How ticks are read, which are kept an exchange: trades, quotes, and depths alike."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from api.state import State
from db.history.windows import Window
from db.instruments import Listed

_Stored = TypeVar("_Stored")


def reader(
    here: State,
    listed: Sequence[Listed],
    instrument_ids: Sequence[int],
    read: Callable[..., Awaitable[Sequence[_Stored]]],
) -> Callable[[Window], Awaitable[Sequence[_Stored]]]:
    """Return what reads pages of ``listed``, which are of one exchange."""

    async def of(window: Window) -> Sequence[_Stored]:
        if not listed:
            return []
        async with here["history"].connection() as connection:
            return await read(
                connection, window, exchange_id=listed[0].exchange_id, instrument_ids=instrument_ids
            )

    return of
