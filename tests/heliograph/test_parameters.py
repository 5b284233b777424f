"""``heliograph parameters`` as its user types it."""

import json
import subprocess
from collections.abc import Callable

import pytest

from db.connections import connected
from db.instruments import register
from market.instruments import spot
from tests.heliograph.test_cli import heliograph

pytestmark = pytest.mark.slow

Parameters = Callable[..., subprocess.CompletedProcess[str]]
RSI = ("kraken", "SOL/USD", "rsi")


@pytest.fixture
async def parameters(postgres_url: str) -> Parameters:
    async with connected(postgres_url, "test") as connection:
        await register(connection, [spot("kraken", "SOL", "USD", "SOL/USD")])

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return heliograph("parameters", *arguments, HELIOGRAPH_DATABASE_URL=postgres_url)

    return run


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert 0 == done.returncode, done.stderr
    return done.stdout.splitlines()


def test_numbers_are_chosen_listed_and_reset(parameters: Parameters) -> None:
    [chosen] = said(parameters("set", *RSI, "oversold=25", "--from", "2099-01-01T00:00:00Z"))
    assert chosen.startswith(
        "kraken:SOL/USD rsi 1 from 2099-01-01T00:00:00.000000Z: period=14, oversold=25, "
    )
    assert chosen == said(parameters("list"))[-1]
    assert "rsi: period=14, oversold=30, " in "\n".join(said(parameters("list")))
    reset = json.loads(parameters("reset", *RSI, "--from", "2099-01-02T00:00:00Z", "--json").stdout)
    assert (2, 30.0, False) == (reset["version"], reset["parameters"]["oversold"], reset["computed_again"])


def test_a_choice_for_the_past_says_that_it_is_computed_again(parameters: Parameters) -> None:
    arguments = ("set", *RSI, "oversold=25", "--from", "2026-01-01T00:00:00Z", "--dry-run")
    chosen, again = said(parameters(*arguments))
    assert chosen.endswith(" would be chosen")
    assert "signals since then are computed again, and corrected on the stream" == again
    assert [] == json.loads(parameters("list", "--json").stdout)["chosen"]


def test_a_mistake_is_a_sentence(parameters: Parameters) -> None:
    refused = parameters("set", *RSI, "oversold=80")
    assert 1 == refused.returncode
    assert "rsi cannot be computed with period=14, oversold=80" in refused.stderr
