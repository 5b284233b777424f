"""Subscribers of everything that is logged, through all that goes wrong, and what they must have heard."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import structlog

from heliograph.chaos.wires import Wire, wired
from heliograph_client import Client, Event, MissedError, Position
from market.errors import StackError
from runtime.lifecycle import wait_at_most

logger = structlog.get_logger(__name__)

CHANNELS = ("signals:*:*", "bars:*:*")
SLOW_SECONDS = 0.25
"""How long the slow one works on each event: a few a second, fewer than there are."""

_TRIES = 100
_READY_SECONDS = 60.0
_LOOK_EVERY_SECONDS = 0.05

Offsets = Mapping[str, Sequence[int]]
"""Of each stream, in their order."""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one subscriber; the counts from ``lost`` on must be 0. ``holes`` are the log's own."""

    streams: int
    published: int
    received: int
    connections: int
    lost: int
    invented: int
    repeated: int
    disordered: int
    missed: int
    holes: int

    @property
    def faults(self) -> int:
        """Return how much is wrong."""
        return self.lost + self.invented + self.repeated + self.disordered + self.missed + self.holes


def judge(published: Offsets, received: Offsets, *, connections: int, missed: int) -> Heard:
    """Compare what a subscriber received with the log."""
    log = {(stream, offset) for stream, offsets in published.items() for offset in offsets}
    told = {(stream, offset) for stream, offsets in received.items() for offset in offsets}
    count = sum(map(len, received.values()))
    return Heard(
        streams=len(published),
        published=len(log),
        received=count,
        connections=connections,
        lost=len(log - told),
        invented=len(told - log),
        repeated=count - len(told),
        disordered=sum(list(offsets) != sorted(offsets) for offsets in received.values()),
        missed=missed,
        holes=sum(list(offsets) != list(range(1, len(offsets) + 1)) for offsets in published.values()),
    )


class Listener:
    """One subscriber, from the first entry of the log on, on a wire of its own."""

    def __init__(self, name: str, wire: Wire, work_seconds: float = 0.0) -> None:
        """Work so long on each event."""
        self.name = name
        self.wire = wire
        self.received: dict[str, list[int]] = {}
        self.missed = 0
        self.hurrying = asyncio.Event()
        self._work_seconds = work_seconds
        self._stream = Client(f"http://127.0.0.1:{wire.port}", tries=_TRIES).stream(
            *CHANNELS, after=Position(channels=list(CHANNELS))
        )

    @property
    def ready(self) -> bool:
        """Tell whether the API took the subscription."""
        return self._stream.position.epoch is not None

    async def run(self) -> None:
        """Listen for ever; what the log lacked is counted."""
        while True:
            try:
                async for event in self._stream:
                    await self._work(event)
            except MissedError as error:
                logger.warning("chaos.missed", subscriber=self.name, error=str(error))
                self.missed += 1

    def judged(self, published: Offsets) -> Heard:
        """Return what became of it."""
        return judge(published, self.received, connections=self.wire.taken, missed=self.missed)

    async def _work(self, event: Event) -> None:
        if event.offset is not None:
            self.received.setdefault(event.channel, []).append(event.offset)
        if self._work_seconds:
            await wait_at_most(self.hurrying, self._work_seconds)


@asynccontextmanager
async def listening(host: str, port: int) -> AsyncIterator[list[Listener]]:
    """Give a subscriber and its slow twin, both subscribed, that listen while the block runs."""
    async with AsyncExitStack() as wires, asyncio.TaskGroup() as group:
        listeners = [
            Listener("quick", await wires.enter_async_context(wired(host, port))),
            Listener("slow", await wires.enter_async_context(wired(host, port)), SLOW_SECONDS),
        ]
        running = [group.create_task(listener.run()) for listener in listeners]
        try:
            await _all_ready(listeners)
            yield listeners
        finally:
            for task in running:
                task.cancel()


async def _all_ready(listeners: Sequence[Listener]) -> None:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while not all(listener.ready for listener in listeners):  # noqa: ASYNC110 - nobody sets an event
                await asyncio.sleep(_LOOK_EVERY_SECONDS)
    except TimeoutError as error:
        message = f"the API did not take subscribers within {_READY_SECONDS:.0f} s; see logs/api.log"
        raise StackError(message) from error
