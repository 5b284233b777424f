"""A role's own port tells what it counts, that it lives, and whether it is ready."""

from collections.abc import Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

from runtime.exporting import Exporter
from runtime.metrics import Metrics
from runtime.settings import RuntimeSettings


class Beat:
    """A heartbeat as old as a test says."""

    age: float | None = 1.5

    def counted(self) -> Mapping[str, object]:
        return {"claims": 3, "signals": {"rsi": 2}, "books": [], "saturated": False}

    def age_seconds(self) -> float | None:
        return self.age


async def asked(beat: Beat, path: str) -> httpx.Response:
    exporter = Exporter(RuntimeSettings(), Metrics("worker-live"), beat)
    transport = httpx.ASGITransport(exporter.application())
    async with httpx.AsyncClient(transport=transport, base_url="http://role") as client:
        return await client.get(path)


async def test_what_a_role_counts_is_exported_by_its_path() -> None:
    answer = await asked(Beat(), "/metrics")
    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert (3, 2, 0) == tuple(
        values["heliograph_counted", what] for what in ("claims", "signals.rsi", "saturated")
    )
    assert 1.5 == values["heliograph_heartbeat_age_seconds",]
    assert values["heliograph_resident_bytes",] > 0
    assert values["heliograph_cpu_seconds",] > 0
    assert [1] == [
        value for name, value in values.items() if name[:2] == ("heliograph_build_info", "worker-live")
    ]


async def test_a_role_that_postgresql_does_not_hear_of_lives_and_is_not_ready() -> None:
    beat = Beat()
    assert 200 == (await asked(beat, "/health/ready")).status_code
    for beat.age in (None, 30.0):
        told = await asked(beat, "/health/ready")
        assert (503, "down") == (told.status_code, told.json()["status"])
        assert 200 == (await asked(beat, "/health/live")).status_code
