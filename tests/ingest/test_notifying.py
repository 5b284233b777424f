import asyncio
from collections.abc import Sequence

import pytest

from ingest.notifying import Notifier
from market.channels import Family
from market.errors import BusUnavailableError
from market.publications import Latest


def latest(ts: int, count: int = 1, family: Family = Family.TRADES) -> Latest:
    return Latest(1, family, ts, 9, count, str(ts))


class Hearer:
    """A bus that is down at first, for some calls."""

    def __init__(self, down_for: int = 0) -> None:
        self.shards: list[int] = []
        self.values: list[Latest] = []
        self.down_for = down_for
        self.called = asyncio.Event()

    async def wake(self, shards: Sequence[int]) -> None:
        self.called.set()
        if self.down_for:
            self.down_for -= 1
            message = "nobody answers"
            raise BusUnavailableError(message)
        self.shards.extend(shards)

    async def latest(self, values: Sequence[Latest]) -> None:
        self.values.extend(values)


async def test_shards_and_values_are_told_before_the_end() -> None:
    hearer = Hearer()
    notifier = Notifier(hearer)
    notifier.tell([3, 1], [latest(5)])
    notifier.close()
    await notifier.run()
    assert ([1, 3], [latest(5)]) == (hearer.shards, hearer.values)


@pytest.mark.parametrize(("first", "second"), [(5, 6), (6, 5)])
async def test_of_values_that_wait_the_newest_is_told_and_stands_for_all(first: int, second: int) -> None:
    hearer = Hearer()
    notifier = Notifier(hearer)
    notifier.tell([1], [latest(first, 2), latest(1, family=Family.QUOTES)])
    notifier.tell([1], [latest(second, 3)])
    notifier.close()
    await notifier.run()
    assert [latest(6, 5), latest(1, family=Family.QUOTES)] == hearer.values
    assert [1] == hearer.shards


async def test_changes_of_different_gaps_do_not_replace_each_other() -> None:
    hearer = Hearer()
    notifier = Notifier(hearer)
    opened, other, closed = (
        Latest(1, Family.COVERAGE, ts, gap, 1, "") for ts, gap in ((5, 1), (6, 2), (7, 1))
    )
    notifier.tell([], [opened, other, closed])
    notifier.close()
    await notifier.run()
    assert {(7, 1, 2), (6, 2, 1)} == {(value.ts, value.id, value.count) for value in hearer.values}


async def test_a_bus_that_is_down_is_counted_and_gone_on_without() -> None:
    hearer = Hearer(down_for=1)
    notifier = Notifier(hearer)
    notifier.tell([1], [])
    running = asyncio.create_task(notifier.run())
    await hearer.called.wait()
    notifier.tell([2], [])
    notifier.close()
    await running
    assert ([2], 1) == (hearer.shards, notifier.missed)
