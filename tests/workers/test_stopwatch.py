"""How long the parts of a claim take is measured, and how long ticks waited for it."""

import pytest

from market.times import SECOND
from runtime.metrics import Metrics
from tests.workers.market import BEGAN, FOLDER, Market, claim_all, tape
from workers.claiming import Claimer


@pytest.mark.slow
async def test_a_claim_moves_what_is_measured_of_claims(market: Market) -> None:
    metrics = Metrics("worker-live")
    claimer = Claimer(FOLDER, lambda: BEGAN + SECOND, "test", metrics=metrics)
    async with market.writing() as writer, market.working() as connection:
        await writer.store(tape(market.ids[0], 30))
        await claim_all(claimer, connection)
    value = metrics.registry.get_sample_value
    assert 30 == value("heliograph_claim_ticks_sum")
    for part in ("lock", "fold", "commit"):
        assert (value("heliograph_claim_seconds_count", {"part": part}) or 0) >= 1
    assert (value("heliograph_stage_seconds_count", {"stage": "claimed"}) or 0) >= 1
