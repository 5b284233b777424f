"""A model that is trained once for all tests of this folder: nothing changes it."""

import pytest

from tests.workers.models.days import generated
from workers.models.training import Trained, train


@pytest.fixture(scope="session")
def trained() -> Trained:
    return train(generated(1440))
