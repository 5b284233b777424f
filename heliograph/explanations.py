"""How the API asks workers' code why a signal was told, without holding it in memory until somebody asks."""

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

from db.signals import StoredSignal
from market.explanations import Explanation

if TYPE_CHECKING:
    from db.connections import Connection

_EXPLAINING = "workers.explaining"


async def explain(
    connection: "Connection", exchange_id: int, stored: StoredSignal, at_most: int
) -> Explanation:
    """Explain a signal out of the database; 12 MB are imported when it is asked first, beside the loop."""
    workers = await asyncio.to_thread(import_module, _EXPLAINING)
    found: Explanation = await workers.explain(connection, exchange_id, stored, at_most)
    return found
