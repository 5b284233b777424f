"""A market to live in, and a model that is trained once for all tests of this folder: nothing changes it."""

from collections.abc import AsyncIterator

import pytest

from db.instruments import Listed
from db.partitions import day_of, ensure_days
from market.times import DAY
from tests.workers.market import Market, Writer, new_claimer
from tests.workers.models.days import START, generated
from workers.claiming import Claimer
from workers.models.training import Trained, train


@pytest.fixture(scope="session")
def trained() -> Trained:
    return train(generated(1440))


@pytest.fixture
async def instrument(market: Market) -> Listed:
    await ensure_days(market.connection, [day_of(START), day_of(START + DAY)])
    return market.listed[0]


@pytest.fixture
async def writer(market: Market, instrument: Listed) -> AsyncIterator[Writer]:  # noqa: ARG001 - its days
    async with market.writing() as writer:
        yield writer


@pytest.fixture
def claimer() -> Claimer:
    return new_claimer()
