"""Fixtures of the workers' tests."""

from collections.abc import AsyncIterator

import pytest

from db.connections import connected
from db.instruments import register
from db.partitions import day_of, ensure_days
from market.instruments import spot
from market.times import DAY
from tests.workers.market import BASES, BEGAN, Market


@pytest.fixture
async def market(postgres_url: str) -> AsyncIterator[Market]:
    async with connected(postgres_url, "test") as connection:
        listed = await register(connection, [spot("binance", base, "USDT", f"{base}USDT") for base in BASES])
        await ensure_days(connection, [day_of(BEGAN), day_of(BEGAN + DAY)])
        yield Market(postgres_url, connection, list(listed.values()))
