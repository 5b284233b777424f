"""The stream of a running API, through connections that are cut."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from itertools import islice
from urllib.parse import urlsplit

import pytest

from api.settings import ApiSettings
from heliograph.chaos.wires import Wire, wired
from heliograph_client import (
    Bar,
    Channel,
    Client,
    Event,
    Gap,
    MissedError,
    Position,
    RefusedError,
    Stream,
    UnreachableError,
)
from market.times import SECOND
from tests.api.holes import find
from tests.api.peers import FAR_AWAY, Served, serving, until
from tests.client.telling import BARS, T, Teller


@pytest.fixture
async def wire(served: Served) -> AsyncIterator[Wire]:
    far = urlsplit(served.url)
    async with wired(str(far.hostname), far.port or 0) as wire:
        yield wire


@pytest.fixture
def cut_off(wire: Wire) -> Client:
    """A client whose connections can be cut."""
    return Client(f"http://127.0.0.1:{wire.port}")


@asynccontextmanager
async def heard(stream: Stream) -> AsyncIterator[list[Event]]:
    """Give what is told on a stream, as it comes, once it is subscribed."""
    async with heard_of(stream, lambda: bool(stream.position.channels)) as events:
        yield events


def offsets(events: list[Event]) -> list[int | None]:
    return [event.offset for event in events]


async def test_what_is_told_is_typed_and_comes_from_the_head_on(client: Client, teller: Teller) -> None:
    await teller.tell(2)
    async with heard(client.stream(BARS)) as events:
        await teller.tell(3)
        await until(lambda: len(events) == 3)
    bars = [event.data for event in events if isinstance(event.data, Bar)]
    assert [(3, 3.0), (4, 4.0), (5, 5.0)] == list(
        zip(offsets(events), [bar.open for bar in bars], strict=True)
    )
    assert {("bar", BARS)} == {(event.op, event.channel) for event in events}
    assert {"1s"} == {bar.interval for bar in bars}


@pytest.mark.slow
@pytest.mark.parametrize("channel", [BARS, "bars:*:*", "bars:*", "bars:kraken:*"])
async def test_cuts_leave_no_hole_and_no_repeat(
    cut_off: Client, wire: Wire, teller: Teller, channel: str
) -> None:
    async with heard(cut_off.stream(channel)) as events:
        for _ in range(5):
            await teller.tell(40)
            await until(lambda: wire.cut() > 0)
            await teller.tell(20, aloud=False)
            await until(lambda: len(events) == teller.told)
    assert list(range(1, 301)) == offsets(events)
    assert wire.taken > 5


@pytest.mark.slow
async def test_the_synchronous_face_comes_back_too(cut_off: Client, wire: Wire, teller: Teller) -> None:
    stream = cut_off.stream(BARS)
    listening = asyncio.create_task(asyncio.to_thread(lambda: list(islice(stream, 300))))
    await until(lambda: bool(stream.position.channels))
    for _ in range(4):
        await teller.tell(60)
        await until(lambda: wire.cut() > 0)
    await teller.tell(60)
    assert list(range(1, 301)) == offsets(await listening)


@pytest.mark.slow
async def test_an_api_that_is_restarted_is_come_back_to(
    teller: Teller, postgres_url: str, redis_url: str
) -> None:
    async with serving(ApiSettings(port=0), postgres_url, redis_url) as first:
        port = urlsplit(first.url).port or 0
        stream = Client(first.url).stream("bars:*:*")
        events: list[Event] = []
        collecting = asyncio.create_task(collect(stream, events))
        await until(lambda: bool(stream.position.channels))
        await teller.tell(10)
        await until(lambda: len(events) == 10)
    await teller.tell(10)
    async with serving(ApiSettings(port=port), postgres_url, redis_url):
        await teller.tell(10)
        await until(lambda: len(events) == 30)
        collecting.cancel()
    assert list(range(1, 31)) == offsets(events)


async def collect(stream: Stream, events: list[Event]) -> None:
    async for event in stream:
        events.append(event)  # noqa: PERF401 - each is there as soon as it came


async def test_a_position_that_was_kept_is_gone_on_from(client: Client, teller: Teller) -> None:
    stream = client.stream(BARS)
    async with heard(stream) as events:
        await teller.tell(5)
        await until(lambda: len(events) == 5)
    kept = stream.position.to_json()
    await teller.tell(5)
    async with heard(client.stream(BARS, after=Position.from_json(kept))) as events:
        await until(lambda: len(events) == 5)
    assert list(range(6, 11)) == offsets(events)


async def test_the_position_has_the_event_that_is_worked_on(client: Client, teller: Teller) -> None:
    await teller.tell(5)
    stream = client.stream(BARS, after={BARS: 0})
    async with aclosing(aiter(stream)) as events:
        async for event in events:
            assert {BARS: event.offset} == stream.position.offsets
            if event.offset == 5:
                break


@pytest.mark.parametrize("channel", [BARS, "bars:*:*"])
async def test_what_was_published_since_a_moment_comes_first_and_once_through_cuts(
    cut_off: Client, wire: Wire, teller: Teller, channel: str
) -> None:
    await teller.tell(300)
    stream = cut_off.stream(Channel(channel, since=T + 101 * SECOND))
    async with heard_of(stream, lambda: wire.taken > 0) as events:
        await until(lambda: bool(events))
        wire.cut()
        await until(lambda: len(events) == 200)
        wire.cut()
        await teller.tell(10)
        await until(lambda: len(events) == 210)
    assert list(range(101, 311)) == offsets(events)


async def test_since_a_moment_to_come_there_is_nothing_and_then_what_is_told(
    cut_off: Client, wire: Wire, teller: Teller
) -> None:
    await teller.tell(3)
    stream = cut_off.stream(Channel("bars:*:*", since=datetime(2099, 1, 1, tzinfo=UTC)))
    async with heard_of(stream, lambda: BARS in stream.position.offsets) as events:
        wire.cut()
        await teller.tell(1)
        await until(lambda: len(events) == 1)
    assert [4] == offsets(events)


async def test_what_the_log_lacks_since_a_moment_is_said_once(client: Client, teller: Teller) -> None:
    teller.told = 4
    await teller.tell(2)
    stream = client.stream(Channel("bars:*:*", since=T))
    with pytest.raises(MissedError) as missed:
        await anext(aiter(stream))
    assert {BARS: (1, 6)} == missed.value.missing
    async with heard_of(stream, lambda: teller.told > 0) as events:
        await teller.tell(1)
        await until(lambda: len(events) == 1)
    assert [7] == offsets(events)


async def test_what_the_log_lacks_is_an_error_and_then_gone_on_after(client: Client, teller: Teller) -> None:
    teller.told = 4
    await teller.tell(2)
    stream = client.stream(BARS, after={BARS: 2})
    with pytest.raises(MissedError) as missed:
        await anext(aiter(stream))
    assert ({BARS: (3, 6)}, False) == (missed.value.missing, missed.value.other_log)
    async with heard(stream) as events:
        await until(lambda: bool(stream.position.channels))
        await teller.tell(1)
        await until(lambda: len(events) == 1)
    assert [7] == offsets(events)


@pytest.mark.parametrize("channel", [BARS, "bars:*:*"])
async def test_offsets_of_another_log_are_forgotten(client: Client, teller: Teller, channel: str) -> None:
    await teller.tell(3)
    kept = Position(epoch="another", offsets={BARS: 3000}, channels=[channel])
    stream = client.stream(channel, after=kept)
    with pytest.raises(MissedError, match="another than before") as missed:
        await anext(aiter(stream))
    assert ({BARS: (1, 3)}, True) == (missed.value.missing, missed.value.other_log)
    await teller.tell(1)
    async with heard(stream) as events:
        await until(lambda: len(events) == 1)
    assert [4] == offsets(events)
    assert 3000 == kept.offsets[BARS]


async def test_a_gap_that_is_told_again_after_a_cut_is_told_once(
    cut_off: Client, wire: Wire, teller: Teller
) -> None:
    async with heard_of(cut_off.stream("coverage:*"), lambda: wire.taken > 0) as events:
        await find(teller.worker.connection, teller.listed, 0, 1)
        await until(lambda: len(events) == 1)
        await until(lambda: wire.cut() > 0)
        await until(lambda: wire.taken > 1)
        await find(teller.worker.connection, teller.listed, 2, 3)
        await until(lambda: len(events) == 2)
    assert 2 == len({event.data.gap_id for event in events if isinstance(event.data, Gap)})


@asynccontextmanager
async def heard_of(stream: Stream, begun: Callable[[], bool]) -> AsyncIterator[list[Event]]:
    events: list[Event] = []
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(collect(stream, events))
        await until(begun)
        yield events
        listening.cancel()


async def test_frames_are_shown_as_they_came_without_heartbeats(client: Client, teller: Teller) -> None:
    await teller.tell(1)
    async with aclosing(client.stream(BARS, after={BARS: 0}).atexts()) as texts:
        frames = [await anext(texts) for _ in range(3)]
    assert STARTS == [frame[: len(start)] for frame, start in zip(frames, STARTS, strict=True)]


STARTS = [
    '{"op":"subscribed",',
    f'{{"op":"bar","channel":"{BARS}","offset":1,',
    f'{{"op":"caught_up","channel":"{BARS}","offset":1}}',
]


@pytest.mark.parametrize(
    ("channel", "code"), [("bars:kraken:NO/PE", 1003), ("nonsense", 1002), (Channel(BARS, "fastest"), 1001)]
)
@pytest.mark.usefixtures("teller")
async def test_what_the_api_refuses_ends_the_stream(
    client: Client, channel: str | Channel, code: int
) -> None:
    with pytest.raises(RefusedError) as refused:
        await anext(aiter(client.stream(channel)))
    assert code == refused.value.code


async def test_an_address_without_a_stream_ends_it(served: Served) -> None:
    client = Client(served.url)
    stream = client.stream("bars:*:*")
    stream._address += "/nothing"
    with pytest.raises(RefusedError) as refused:
        await anext(aiter(stream))
    assert refused.value.status in range(400, 500)


async def test_nobody_at_the_address_is_said_before_there_was_ever_a_connection() -> None:
    nobody = Client(FAR_AWAY.replace("redis", "http").removesuffix("/0"), tries=1)
    with pytest.raises(UnreachableError, match="nothing answers at ws://127"):
        await anext(aiter(nobody.stream("bars:*:*")))
    with pytest.raises(UnreachableError, match="nothing answers at ws://127"):
        next(iter(nobody.stream("bars:*:*")))
