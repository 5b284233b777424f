"""Asking venues without a Redis, and without ever waiting for a budget."""

from typing import Any

import httpx

from ingest.outbound.budgets import Budgets
from ingest.outbound.outbound import Outbound
from market.errors import BusUnavailableError


class Nowhere:
    """A Redis that nobody reaches."""

    async def take(self, name: str, cost: int, span: int, known: int = 0) -> int:
        raise BusUnavailableError(name, cost, span, known)

    async def rest(self, name: str, duration: int) -> None:
        raise BusUnavailableError(name, duration)


class Later:
    """A clock on which budgets are whole whenever they are looked at."""

    def __init__(self) -> None:
        self._now = 1000.0

    def __call__(self) -> float:
        self._now += 60
        return self._now


async def _alone() -> int:
    return 1


def freely(http: httpx.AsyncClient, **bounds: Any) -> Outbound:
    return Outbound(http, Budgets(Nowhere(), _alone, Later()), **bounds)
