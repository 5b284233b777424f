"""Jobs as wholes, read and changed by the operator alone."""

from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import SecretStr

from api.settings import ApiSettings
from db import audit
from db.asked import NewPiece, enqueue_backfill
from db.connections import connected
from db.instruments import register
from ingest.venues.registry import venue
from market.times import SECOND, to_iso
from tests.api.peers import serving

pytestmark = pytest.mark.slow

JOBS = "/v1/admin/jobs"
BEGAN = 1_700_000_000 * SECOND


@pytest.fixture
async def admin(postgres_url: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    settings = ApiSettings(port=0, operator_token=SecretStr("token"))
    async with serving(settings, postgres_url, redis_url) as served:
        headers = {"Authorization": "Bearer token"}
        async with httpx.AsyncClient(base_url=served.url, headers=headers, timeout=20) as client:
            yield client


async def enqueued(postgres_url: str) -> int:
    instrument = venue("binance").instrument("BTC/USDT")
    async with connected(postgres_url, "test") as connection:
        listed = (await register(connection, [instrument]))[instrument.key]
        piece = NewPiece(listed.instrument_id, BEGAN, BEGAN + SECOND, 10)
        return await enqueue_backfill(connection, BEGAN, BEGAN + SECOND, [piece])


async def test_jobs_are_read_and_changed(admin: httpx.AsyncClient, postgres_url: str) -> None:
    job_id = await enqueued(postgres_url)
    (listed,) = (await admin.get(JOBS)).json()["data"]
    assert (job_id, "backfill", "waiting", ["binance:BTC/USDT"], 10) == (
        listed["job_id"],
        listed["kind"],
        listed["state"],
        listed["instruments"],
        listed["rows"],
    )
    shown = (await admin.get(f"{JOBS}/{job_id}")).json()
    whole = [[to_iso(BEGAN), to_iso(BEGAN + SECOND)]]
    assert [("waiting", 10)] == [(part["state"], part["rows"]) for part in shown["parts"]]
    assert [(whole, whole, [])] == [
        (each["missing_before"], each["missing_now"], each["lacking"]) for each in shown["coverage"]
    ]
    states = [
        (await admin.patch(f"{JOBS}/{job_id}", json={"change": change})).json()["state"]
        for change in ("pause", "resume", "cancel", "retry")
    ]
    assert ["paused", "running", "cancelled", "running"] == states
    async with connected(postgres_url, "test") as connection:
        noted = await audit.entries(connection, "jobs", 9)
    assert ["running", "cancelled", "running", "paused"] == [(each.after or {})["state"] for each in noted]


async def test_what_cannot_be_changed_is_refused(admin: httpx.AsyncClient, postgres_url: str) -> None:
    job_id = await enqueued(postgres_url)
    refused = await admin.patch(f"{JOBS}/{job_id}", json={"change": "resume"})
    assert (422, f"job {job_id} is waiting: there is nothing to resume") == (
        refused.status_code,
        refused.json()["detail"],
    )
    unknown = await admin.get(f"{JOBS}/99")
    assert (404, 2103) == (unknown.status_code, unknown.json()["code"])
    assert (await admin.get(JOBS, headers={"Authorization": "Bearer of another"})).status_code == 403
