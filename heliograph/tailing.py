"""``heliograph tail``: what is told on channels, printed as it comes."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path

from heliograph.whereabouts import page
from heliograph_client import (
    Bar,
    Channel,
    Client,
    ClientError,
    Depth,
    Event,
    Gap,
    Quote,
    Signal,
    Stream,
    Trade,
    UnreachableError,
)
from market.channels import parse
from market.errors import StackError
from runtime.lifecycle import Main

_LINE = "{:<23}  {:<30}  {:>7}  {}"
_HEADING = _LINE.format("time", "channel", "offset", "what")


def tail(
    channels: list[str], url: str | None, data_dir: Path | None = None, *, as_json: bool = False
) -> Main:
    """Return a program that prints what is told on ``channels`` until it is stopped.

    Lost connections are come back from, without hole or repeat. Raises InvalidInputError for a channel
    that cannot be.
    """
    names = [Channel(str(parse(name))) for name in channels]
    client = client_at(url, data_dir)

    async def main(stopping: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            following = group.create_task(_print(client.stream(*names), as_json=as_json))
            stopped = group.create_task(stopping.wait())
            await asyncio.wait((following, stopped), return_when=asyncio.FIRST_COMPLETED)
            following.cancel()
            stopped.cancel()

    return main


def client_at(url: str | None, data_dir: Path | None) -> Client:
    """Return a client of the API at ``url``, or where the stack runs that is meant."""
    address = url or page(data_dir)
    return Client(address.replace("ws", "http", 1) if address.startswith("ws") else address, tries=1)


def failure(error: ClientError) -> StackError:
    """Return an error of the client's as one of ours."""
    if isinstance(error, UnreachableError):
        return StackError(f"{error}; run `heliograph up`, or say where with --url")
    return StackError(str(error))


async def _print(stream: Stream, *, as_json: bool) -> None:
    try:
        async for line in stream.atexts() if as_json else _lines(stream):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
    except ClientError as error:
        raise failure(error) from error


async def _lines(stream: Stream) -> AsyncIterator[str]:
    """Yield what people are shown; the heading comes with the first event."""
    headed = False
    async for event in stream:
        if not headed:
            yield _HEADING
            headed = True
        yield line_of(event)


def line_of(event: Event) -> str:
    """Return one line of an event."""
    offset = "" if event.offset is None else str(event.offset)
    what = "nothing" if event.data is None else _what(event.data)
    if event.revises is not None:
        what = f"in place of {event.revises}: {what}"
    return _LINE.format(_moment(event.data), event.channel, offset, what).rstrip()


def _moment(data: object) -> str:
    ts = getattr(data, "ts", None) or getattr(data, "start", None) or getattr(data, "from_ts", None)
    return ts.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] if isinstance(ts, datetime) else ""


def _what(data: object) -> str:  # noqa: PLR0911 - one of each
    match data:
        case Signal():
            return f"{data.kind} {data.direction} {data.strength:+.3f} at {_number(data.price)}"
        case Bar():
            prices = " ".join(map(_number, (data.open, data.high, data.low, data.close)))
            running = "" if data.final else ", running"
            return f"{data.interval} {prices}, {_number(data.volume)} in {data.trades}{running}"
        case Quote():
            bid, ask = _number(data.bid_size), _number(data.ask_size)
            return f"{bid} at {_number(data.bid_price)}, {ask} at {_number(data.ask_price)}"
        case Trade():
            return f"{data.side} {_number(data.size)} at {_number(data.price)}"
        case Depth():
            return f"{_best(data.bids)}, {_best(data.asks)}"
        case Gap():
            return f"{data.kind} {data.cause} {data.state} until {data.to_ts:%H:%M:%S}"
        case _:
            return str(data)


def _best(levels: Sequence[tuple[float, float]]) -> str:
    return f"{_number(levels[0][1])} at {_number(levels[0][0])}" if levels else "nothing"


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.12g}"
