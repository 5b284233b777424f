"""``heliograph feeds`` as its user types it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.heliograph.test_cli import heliograph

pytestmark = pytest.mark.slow

Feeds = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def feeds(postgres_url: str) -> Feeds:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return heliograph("feeds", *arguments, HELIOGRAPH_DATABASE_URL=postgres_url)

    return run


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert 0 == done.returncode, done.stderr
    return done.stdout.splitlines()


def test_feeds_are_added_listed_paused_resumed_and_removed(feeds: Feeds) -> None:
    assert ["there are no feeds; add one: heliograph feeds add kraken SOL/USD"] == said(feeds("list"))
    assert ["kraken:SOL/USD added", "kraken:BTC/USD added"] == said(
        feeds("add", "kraken", "SOL/USD", "BTC/USD", "SOL/USD")
    )
    assert ["kraken:SOL/USD paused"] == said(feeds("pause", "kraken", "SOL/USD"))
    hint = "kraken:SOL/USD unchanged; it is paused: heliograph feeds resume"
    assert [hint] == said(feeds("add", "kraken", "SOL/USD"))
    heading, btc, sol = said(feeds("list"))
    assert heading.startswith("feed ")
    assert (["kraken:BTC/USD", "active", "-", "-", "-"], "paused") == (btc.split(), sol.split()[1])
    assert ["kraken:SOL/USD resumed"] == said(feeds("resume", "kraken", "SOL/USD"))
    assert ["kraken:SOL/USD removed"] == said(feeds("remove", "kraken", "SOL/USD"))
    assert ["BTC/USD"] == [each["symbol"] for each in json.loads("".join(said(feeds("list", "--json"))))]


def test_a_dry_run_says_what_would_be_and_does_nothing(feeds: Feeds) -> None:
    assert ["kraken:SOL/USD would be added"] == said(feeds("add", "kraken", "SOL/USD", "--dry-run"))
    assert "[]" == "".join(said(feeds("list", "--json")))
    said(feeds("add", "kraken", "SOL/USD"))
    assert ["kraken:SOL/USD would be removed"] == said(feeds("remove", "kraken", "SOL/USD", "--dry-run"))
    (row,) = json.loads("".join(said(feeds("pause", "kraken", "SOL/USD", "--json", "--dry-run"))))
    assert ("paused", "paused") == (row["change"], row["state"])
    (row,) = json.loads("".join(said(feeds("list", "--json"))))
    assert "active" == row["state"]


def test_mistakes_are_sentences_with_what_is_near(feeds: Feeds) -> None:
    said(feeds("add", "kraken", "SOL/USD"))
    for arguments, near in (
        (("add", "krakn", "SOL/USD"), "did you mean kraken?"),
        (("add", "kraken", "BTCUSD"), "did you mean BTC/USD?"),
        (("add", "kraken", "BTC/USD", "--stream-url", "ws://localhost:abc"), "is no address"),
        (("remove", "kraken", "SOL/USDT"), "did you mean kraken:SOL/USD?"),
        (("pause", "binance", "BTC/USDT"), "`heliograph feeds list` shows those that are"),
    ):
        done = feeds(*arguments)
        assert 1 == done.returncode
        assert done.stderr.startswith("heliograph: ")
        assert near in done.stderr


def test_a_folder_in_which_nothing_runs_is_told_as_such(tmp_path: Path) -> None:
    done = heliograph("feeds", "list", "--data-dir", str(tmp_path))
    assert 1 == done.returncode
    assert f"nothing runs in {tmp_path}: start `heliograph up`" in done.stderr
