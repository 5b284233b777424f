"""No statement of the API works on for ever."""

import httpx

from api.settings import ApiSettings
from db.connections import connected
from tests.api.peers import Served, Worker, serving


async def test_a_statement_that_takes_too_long_is_cut_off_and_the_next_is_answered(
    postgres_url: str, redis_url: str, worker: Worker
) -> None:
    await worker.instruments("SOL/USD")
    settings = ApiSettings(port=0, statement_seconds=0.1)
    async with serving(settings, postgres_url, redis_url) as served:
        async with connected(postgres_url, "test") as holder, holder.transaction():
            await holder.execute("LOCK TABLE bars")
            cut = await ask(served)
        assert (503, 2302, "1") == (cut.status_code, cut.json()["code"], cut.headers["retry-after"])
        assert 200 == (await ask(served)).status_code


async def ask(served: Served) -> httpx.Response:
    return await served.http.get("/v1/bars?exchange=kraken&symbol=SOL/USD")
