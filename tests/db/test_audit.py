"""What somebody changes is written down with the change, or not at all."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import asyncpg
import pytest

from db import audit, feeds, schedules
from db.connections import connected
from db.feeds import FeedName, WantedFeed

if TYPE_CHECKING:
    from db.connections import Connection

KRAKEN = WantedFeed(exchange="kraken", symbol="SOL/USD")
ALICE = "alice@host by heliograph feeds"


@pytest.fixture
async def connection(postgres_url: str) -> AsyncIterator["Connection"]:
    async with connected(postgres_url, "test") as connection:
        yield connection


async def changes(connection: "Connection") -> list[tuple[str, str, str]]:
    return [(each.actor, each.noun, each.change) for each in await audit.entries(connection, None, 99)]


async def test_each_change_is_kept_with_who_made_it_and_what_was_before(connection: "Connection") -> None:
    await audit.act_as(connection, ALICE)
    await feeds.add(connection, [KRAKEN])
    await feeds.pause(connection, [KRAKEN.name])
    await feeds.remove(connection, [FeedName("kraken", "SOL/USD")])
    removed, paused, added = await audit.entries(connection, "feeds", 99)
    assert (None, "SOL/USD") == (added.before, (added.after or {})["symbol"])
    assert ("active", "paused") == ((paused.before or {})["state"], (paused.after or {})["state"])
    assert ("paused", None) == ((removed.before or {})["state"], removed.after)
    assert {ALICE} == {removed.actor, paused.actor, added.actor}
    assert removed.at > added.at


async def test_what_processes_do_by_themselves_is_not_logged(connection: "Connection") -> None:
    await feeds.offer(connection, [KRAKEN])
    await schedules.begin(connection, "heal")
    assert [] == await changes(connection)


async def test_what_changes_nothing_is_not_logged(connection: "Connection") -> None:
    await feeds.offer(connection, [KRAKEN])
    await audit.act_as(connection, ALICE)
    await connection.execute("UPDATE feeds SET state = state")
    assert [] == await changes(connection)


async def test_a_change_that_is_rolled_back_leaves_no_entry(connection: "Connection") -> None:
    transaction = connection.transaction()
    await transaction.start()
    await audit.act_as(connection, "operator at 10.0.0.7 by API", in_transaction=True)
    await schedules.pause(connection, "train")
    await transaction.rollback()
    await schedules.pause(connection, "verify")
    assert [] == await changes(connection)
    async with connection.transaction():
        await audit.act_as(connection, "operator at 10.0.0.7 by API", in_transaction=True)
        await schedules.pause(connection, "train")
    await schedules.pause(connection, "heal")
    assert [("operator at 10.0.0.7 by API", "paused_chores", "insert")] == await changes(connection)


async def test_large_payloads_stay_where_they_are(connection: "Connection") -> None:
    await connection.execute(
        "INSERT INTO dead_letters (source, exchange, reason, payload, code_version)"
        " VALUES ('frame', 'kraken', '?', 'large', '1')"
    )
    await audit.act_as(connection, ALICE)
    await connection.execute("DELETE FROM dead_letters")
    [entry] = await audit.entries(connection, None, 9)
    assert ("kraken", False) == ((entry.before or {})["exchange"], "payload" in (entry.before or {}))


@pytest.mark.parametrize(
    "change", ["UPDATE audit_log SET actor = ''", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
async def test_the_log_refuses_to_be_changed(connection: "Connection", change: str) -> None:
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await connection.execute(change)
