"""What a subscriber must have heard."""

from functools import partial

import pytest

from api.settings import ApiSettings
from bus import publishing
from db.connections import connected
from heliograph.chaos.listeners import Heard, Listener, judge, listening
from tests.api.peers import Worker, serving, until
from tests.client.telling import BARS, Teller

LOG = {"a": [1, 2, 3], "b": [1]}


def judged(received: dict[str, list[int]], missed: int = 0) -> Heard:
    return judge(LOG, received, connections=1, missed=missed)


def test_the_whole_log_in_its_order_is_no_fault() -> None:
    heard = judged(LOG)
    assert (2, 4, 4, 0) == (heard.streams, heard.published, heard.received, heard.faults)


@pytest.mark.parametrize(
    ("fault", "received"),
    [
        ("lost", {"a": [1, 3], "b": [1]}),
        ("lost", {"a": [1, 2, 3]}),
        ("invented", {"a": [1, 2, 3, 4], "b": [1]}),
        ("repeated", {"a": [1, 2, 2, 3], "b": [1]}),
        ("disordered", {"a": [1, 3, 2], "b": [1]}),
    ],
)
def test_anything_else_is_one(fault: str, received: dict[str, list[int]]) -> None:
    heard = judged(received)
    assert (1, 1) == (getattr(heard, fault), heard.faults)


def test_a_log_with_a_hole_and_a_refused_resume_are_faults_too() -> None:
    assert 1 == judged(LOG, missed=1).faults
    holed = {"a": [1, 3]}
    assert 1 == judge(holed, holed, connections=1, missed=0).holes


def _has_more(ear: Listener, before: int) -> bool:
    return sum(map(len, ear.received.values())) > before


@pytest.mark.slow
async def test_a_slow_twin_hears_what_the_quick_one_hears_though_both_are_cut(
    postgres_url: str, redis_url: str
) -> None:
    async with (
        connected(postgres_url, "test") as connection,
        publishing.opened(redis_url) as bus,
        serving(ApiSettings(port=0), postgres_url, redis_url) as served,
    ):
        worker = Worker(connection, bus)
        [sol] = await worker.instruments("SOL/USD")
        teller = Teller(worker, sol)
        await teller.tell(5)
        host, _, port = served.url.removeprefix("http://").partition(":")
        async with listening(host, int(port)) as ears:
            for _ in range(5):
                heard = [sum(map(len, ear.received.values())) for ear in ears]
                await teller.tell(100)
                for ear, before in zip(ears, heard, strict=True):
                    await until(partial(_has_more, ear, before))
                    ear.wire.cut()
            [quick, slow] = ears
            await until(lambda: len(quick.received.get(BARS, ())) == teller.told)
            assert len(slow.received.get(BARS, ())) < teller.told
            slow.hurrying.set()
            await until(lambda: len(slow.received[BARS]) == teller.told)
            log = {BARS: list(range(1, teller.told + 1))}
            assert [0, 0] == [ear.judged(log).faults for ear in ears]
            assert all(ear.wire.taken > 1 for ear in ears)
