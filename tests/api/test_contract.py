"""schemathesis, with all its checks, against a running API: it is what /openapi.json says."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from api.settings import ApiSettings
from tests.api.peers import Served, Worker, serving

pytestmark = pytest.mark.slow

TOKEN = "of the operator"
CONFIGURATION = Path(__file__).with_name("contract.toml")
WITHIN_SECONDS = 240


@pytest.fixture
def settings() -> ApiSettings:
    return ApiSettings(
        port=0,
        operator_token=SecretStr(TOKEN),
        requests_per_second=1e6,
        requests_at_once=10**6,
        connections_per_address=10**4,
    )


async def test_the_api_is_what_it_says_it_is(
    settings: ApiSettings, postgres_url: str, redis_url: str, worker: Worker
) -> None:
    await worker.instruments("SOL/USD", "BTC/USD")
    async with serving(settings, postgres_url, redis_url) as served:
        status, said = await schemathesis(served)
    assert 0 == status, said
    assert re.search(r"[1-9][0-9]* generated, [1-9][0-9]* passed", said), said
    assert 0 == len(re.findall(r"HTTP 5|Server error", said)), said


async def schemathesis(served: Served) -> tuple[int | None, str]:
    """Return the status and the report of a run."""
    command = ("-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "run")
    options = (
        "--checks",
        "all",
        "--generation-database",
        "none",
        "--seed",
        "1",
        "--workers",
        "1",
        "--max-examples",
        "10",
        "--no-color",
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        *options,
        f"{served.url}/openapi.json",
        env={**os.environ, "TOKEN": TOKEN, "COLUMNS": "110"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(WITHIN_SECONDS):
        said, _ = await process.communicate()
    return process.returncode, said.decode()
