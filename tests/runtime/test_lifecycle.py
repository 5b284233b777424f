import asyncio
import os
import signal

import pytest

from runtime.lifecycle import run_services, run_until_stopped, wait_at_most

WAIT_SECONDS = 60


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_in_order(number: signal.Signals) -> None:
    drained = []

    async def main(stopping: asyncio.Event) -> None:
        os.kill(os.getpid(), number)
        await stopping.wait()
        drained.append(True)

    run_until_stopped(main)
    assert drained == [True]


def test_a_second_signal_cancels_what_does_not_drain() -> None:
    async def main(stopping: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await stopping.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    run_until_stopped(main)


def test_the_end_of_the_parents_pipe_stops_too() -> None:
    reader, writer = os.pipe()
    reasons = []

    async def main(stopping: asyncio.Event) -> None:
        os.close(writer)
        await stopping.wait()
        reasons.append("parent died")

    run_until_stopped(main, reader)
    os.close(reader)
    assert reasons == ["parent died"]


def test_a_failure_is_raised() -> None:
    async def main(_stopping: asyncio.Event) -> None:
        message = "broken"
        raise ValueError(message)

    with pytest.raises(ValueError, match="broken"):
        run_until_stopped(main)


class Waits:
    def __init__(self) -> None:
        self.cancelled = False

    async def run(self, stopping: asyncio.Event) -> None:
        try:
            await stopping.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


class Fails:
    async def run(self, stopping: asyncio.Event) -> None:
        raise ValueError(repr(stopping.is_set()))


async def test_a_failing_service_ends_its_neighbours() -> None:
    waits = Waits()
    with pytest.raises(ExceptionGroup) as caught:
        await run_services([waits, Fails()], asyncio.Event())
    assert waits.cancelled
    assert isinstance(caught.value.exceptions[0], ValueError)


async def test_services_end_together_when_told() -> None:
    stopping = asyncio.Event()
    stopping.set()
    await run_services([Waits(), Waits()], stopping)


async def test_a_wait_ends_when_its_time_is_up() -> None:
    event = asyncio.Event()
    await wait_at_most(event, 0.0)
    assert not event.is_set()


async def test_a_wait_ends_when_its_event_is_set() -> None:
    event = asyncio.Event()
    async with asyncio.timeout(WAIT_SECONDS), asyncio.TaskGroup() as group:
        group.create_task(wait_at_most(event, 2 * WAIT_SECONDS))
        event.set()


async def test_a_cancelled_wait_is_cancelled() -> None:
    waiting = asyncio.create_task(wait_at_most(asyncio.Event(), WAIT_SECONDS))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
