"""``heliograph dead-letters``: filters, dry runs, and what becomes of letters."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from typer.testing import CliRunner

from db import dead_letters, outcomes
from db.connections import connected
from db.dead_letters import DeadLetter
from db.instruments import register
from db.outcomes import FailedFold
from heliograph.cli import app
from market.errors import InvalidInputError
from market.instruments import spot
from market.times import SECOND

FROM = 1_723_161_255 * SECOND
Run = Callable[..., str]


async def write(url: str) -> None:
    """One frame, one tick, and two kinds that are stopped."""
    async with connected(url, "test") as connection:
        [listed] = (await register(connection, [spot("kraken", "SOL", "USD", "SOL/USD")])).values()
        frame = DeadLetter(
            source="frame", exchange="binance", reason="undecodable", payload=b"\xff{", code_version="1"
        )
        tick = DeadLetter(
            source="tick",
            exchange="kraken",
            reason="not_a_double",
            payload=b"{}",
            code_version="1",
            instrument_id=listed.instrument_id,
        )
        await dead_letters.add(connection, [frame, tick])
        for kind in ("momentum", "rsi"):
            payload = json.dumps({"kind": kind, "ts": FROM}).encode()
            failed = FailedFold(
                exchange="kraken",
                instrument_id=listed.instrument_id,
                kind=kind,
                from_ts=FROM,
                reason="ZeroDivisionError: by nothing",
                payload=payload,
                code_version="1",
            )
            await outcomes.bury_fold(connection, failed)


@pytest.fixture
def run(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("HELIOGRAPH_DATABASE_URL", postgres_url)
    _await(write(postgres_url))

    def say(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["dead-letters", *arguments])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.stdout

    return say


def _await(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def kinds(text: str) -> list[str]:
    return [each["kind"] or each["source"] for each in json.loads(text)]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([], ["rsi", "momentum", "tick", "frame"]),
        (["--source", "fold"], ["rsi", "momentum"]),
        (["--venue", "kraken", "--symbol", "SOL/USD"], ["rsi", "momentum", "tick"]),
        (["--kind", "rsi"], ["rsi"]),
        (["--reason", "DOUBLE"], ["tick"]),
        (["--before", "2020-01-01T00:00:00Z"], []),
        (["--limit", "1"], ["rsi"]),
    ],
    ids=" ".join,
)
def test_letters_that_match_every_filter_are_listed(run: Run, filters: list[str], found: list[str]) -> None:
    assert found == kinds(run("list", "--json", *filters))


def test_letters_are_listed_for_people_and_shown_whole(run: Run) -> None:
    heading, rsi, *_ = run("list").splitlines()
    assert heading.startswith("id ")
    assert ["4", "fold", "kraken:SOL/USD", "rsi"] == rsi.split()[:4]
    shown = run("show", "1")
    assert "\\xff{" in shown
    assert "undecodable" in shown
    assert "there are no dead letters that match\n" == run("list", "--kind", "flow")


def test_a_dry_run_says_what_would_be_and_does_nothing(run: Run) -> None:
    said = run("requeue", "--source", "fold", "--dry-run")
    assert "4 kraken:SOL/USD rsi: would be requeued" in said.splitlines()
    assert "2 of 2 that match would be requeued" in said
    assert 4 == len(kinds(run("list", "--json")))


def test_all_that_match_are_requeued(run: Run) -> None:
    assert "1 of 1 that match requeued\n" in run("requeue", "--kind", "rsi")
    assert ["momentum", "tick", "frame"] == kinds(run("list", "--json"))
    changes = json.loads(run("requeue", "--all", "--json"))
    assert ["requeued", "kept", "kept"] == [each["change"] for each in changes]


def test_all_that_match_are_dropped_but_for_kinds_that_are_stopped(run: Run) -> None:
    assert "1 of 1 that match dropped\n" in run("drop", "2")
    said = run("drop", "--all")
    assert "3 kraken:SOL/USD momentum: kept; its kind is stopped: requeue it" in said.splitlines()
    assert ["rsi", "momentum"] == kinds(run("list", "--json"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["drop"], "say which letters"),
        (["requeue"], "say which letters"),
        (["show", "99"], "there is no dead letter 99"),
        (["list", "--source", "fish"], "none of frame, tick, fold"),
        (["list", "--before", "soon"], "is not a time"),
    ],
)
def test_mistakes_are_sentences(run: Run, arguments: list[str], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        run(*arguments)
