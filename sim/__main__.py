"""Run a simulated venue as a process: ``python -m sim --venue binance --file F --speed max``."""

import asyncio
import os
import sys
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from pathlib import Path

import msgspec

from market.errors import HeliographError, InvalidInputError
from runtime import logs
from runtime.lifecycle import run_until_stopped
from runtime.settings import RuntimeSettings
from sim import protocols
from sim.faults import orders
from sim.generator import GeneratedTape
from sim.pacing import Pace, parse_speed
from sim.server import Manners, SimulatedVenue
from sim.tapes import RecordedTape, Tape


def main() -> int:
    """Serve until SIGTERM, SIGINT, or the parent's end; return the exit status."""
    arguments = _parser().parse_args()
    settings = RuntimeSettings()
    logs.configure(settings)
    try:
        venue = _venue(arguments)
    except HeliographError as exc:
        print(f"sim: {exc}", file=sys.stderr)  # noqa: T201 - the answer to a command line
        return 2
    run_until_stopped(lambda stopping: _serve(venue, arguments, stopping), settings.parent_fd)
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m sim", description=__doc__)
    parser.add_argument("--venue", required=True, help=f"one of {', '.join(protocols.NAMES)}")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--file", type=Path, action="append", metavar="F", help="a recording; repeatable")
    source.add_argument("--generate", action="store_true", help="make the market up (binance)")
    parser.add_argument("--seed", type=int, default=7, help="what the made-up market and faults follow from")
    parser.add_argument(
        "--rate", type=float, default=200.0, help="made-up frames a second, all symbols together"
    )
    parser.add_argument("--symbols", default="BTC/USDT,ETH/USDT", help="made-up symbols")
    parser.add_argument("--seconds", type=float, default=0.0, help="length of the made-up tape; 0: endless")
    parser.add_argument("--speed", default="1", help="multiple of recorded time, or max")
    parser.add_argument("--connections", type=int, default=1, help="subscribers to wait for before playing")
    parser.add_argument(
        "--most-waiting",
        type=int,
        default=Manners().most_waiting,
        metavar="BYTES",
        help="of a made-up market that may wait for a reader before it is cut off",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="F",
        help="KIND@T[+DURATION][:NAME=VALUE,..]; repeatable",
    )
    parser.add_argument("--port", type=int, default=0, help="on the loopback; 0 takes a free one")
    parser.add_argument("--ready-fd", type=int, default=1, help="where the line with the port is written")
    return parser


def _venue(arguments: Namespace) -> SimulatedVenue:
    venue = protocols.named(arguments.venue)
    tape = _made_up(arguments) if arguments.generate else RecordedTape(venue, arguments.file)
    manners = Manners(
        connections=arguments.connections,
        most_waiting=arguments.most_waiting,
        seed=arguments.seed,
        faults=tuple(map(orders.from_script, arguments.fault)),
    )
    return SimulatedVenue(venue, tape, Pace(parse_speed(arguments.speed)), manners)


def _made_up(arguments: Namespace) -> Tape:
    if arguments.venue != "binance":
        message = f"a market can be made up for binance only, not for {arguments.venue}; use --venue binance"
        raise InvalidInputError(message)
    symbols = arguments.symbols.split(",")
    return GeneratedTape(arguments.seed, symbols, arguments.rate, arguments.seconds)


async def _serve(venue: SimulatedVenue, arguments: Namespace, stopping: asyncio.Event) -> None:
    async with venue.serving(arguments.port):
        ready = {"port": venue.port, "stream_url": venue.stream_url, "rest_url": venue.rest_url}
        _tell(arguments.ready_fd, ready)
        await stopping.wait()
    _tell(arguments.ready_fd, venue.status())  # last words: whoever stops us in mid-tape knows what was sent


def _tell(descriptor: int, what: object) -> None:
    with suppress(BrokenPipeError):  # the parent has gone, and nobody asks any more
        os.write(descriptor, msgspec.json.encode(what) + b"\n")


if __name__ == "__main__":
    sys.exit(main())
