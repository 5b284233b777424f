"""A house of the test's own: real stores, and roles as real processes."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from heliograph.embedded.postgres import Postgres
from heliograph.embedded.valkey import Valkey
from tests.acceptance.house import House


@pytest.fixture
async def house(postgres_server: Postgres, valkey_server: Valkey, tmp_path: Path) -> AsyncIterator[House]:
    async with httpx.AsyncClient() as http:
        with House(postgres_server, valkey_server, tmp_path, http) as house:
            yield house
            statuses = await house.stop(*reversed(house.running))
    assert {0} >= set(statuses)
