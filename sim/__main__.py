"""Run a simulated venue as a process: ``python -m sim --venue binance --file F --speed max``."""

import asyncio
import os
import sys
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from pathlib import Path

import msgspec

from market.errors import HeliographError
from market.times import SECOND
from runtime import logs
from runtime.lifecycle import run_until_stopped
from runtime.settings import RuntimeSettings
from sim import profiles, protocols
from sim.faults import orders
from sim.generator import GeneratedTape, Plan
from sim.pacing import MAX, Pace, parse_speed
from sim.pasts import Length
from sim.server import MOST_WAITING, Manners, SimulatedVenue
from sim.tapes import RecordedTape, Tape

_SYMBOLS = {
    "binance": ("BTC/USDT", "ETH/USDT"),
    "coinbase": ("BTC/USD", "ETH/USD"),
    "kraken": ("BTC/USD", "ETH/USD"),
}


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
    source.add_argument("--generate", action="store_true", help="make the market up")
    parser.add_argument("--seed", type=int, default=7, help="what the made-up market and faults follow from")
    _add_market(parser)
    parser.add_argument("--speed", default="1", help="multiple of recorded time, or max")
    parser.add_argument("--connections", type=int, default=1, help="subscribers to wait for before playing")
    parser.add_argument(
        "--most-waiting",
        type=int,
        default=MOST_WAITING,
        metavar="BYTES",
        help="that may wait for a reader of a made-up market before it is cut off, unless at speed max",
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


def _add_market(parser: ArgumentParser) -> None:
    """Add what only a made-up market can be told."""
    parser.add_argument(
        "--rate", type=float, default=200.0, help="made-up ticks a second, all symbols together"
    )
    parser.add_argument(
        "--profile", choices=profiles.NAMES, help="made-up ticks over time, in place of --rate"
    )
    parser.add_argument(
        "--stretch", type=float, default=1.0, help="what the profile's times are multiplied by"
    )
    parser.add_argument("--symbols", help="made-up symbols; BTC and ETH")
    parser.add_argument(
        "--epoch", type=float, default=0.0, help="seconds since 1970 at which prices began; 0: now"
    )
    parser.add_argument(
        "--gather",
        type=float,
        default=0.0,
        metavar="S",
        help="seconds in which trades share a frame; 0: usual",
    )
    parser.add_argument("--lag", type=float, default=0.0, help="seconds that prices follow behind")
    parser.add_argument(
        "--past", type=int, default=0, metavar="N", help="trades of each symbol before the tape begins"
    )
    parser.add_argument("--past-rate", type=float, default=50.0, help="so many of those a second")
    parser.add_argument("--seconds", type=float, default=0.0, help="length of the made-up tape; 0: endless")


def _venue(arguments: Namespace) -> SimulatedVenue:
    venue = protocols.named(arguments.venue)
    tape = _made_up(arguments) if arguments.generate else RecordedTape(venue, arguments.file)
    speed = parse_speed(arguments.speed)
    manners = Manners(
        connections=arguments.connections,
        most_waiting=None if speed == MAX else arguments.most_waiting,
        seed=arguments.seed,
        faults=tuple(map(orders.from_script, arguments.fault)),
    )
    return SimulatedVenue(venue, tape, Pace(speed), manners)


def _made_up(arguments: Namespace) -> Tape:
    profile = arguments.profile
    plan = Plan(
        venue=arguments.venue,
        symbols=arguments.symbols.split(",") if arguments.symbols else _SYMBOLS[arguments.venue],
        seed=arguments.seed,
        phases=profiles.named(profile, arguments.stretch) if profile else profiles.steady(arguments.rate),
        seconds=arguments.seconds,
        epoch=round(arguments.epoch * SECOND),
        lag_seconds=arguments.lag,
        gathers_seconds=arguments.gather,
        past=Length(arguments.past, arguments.past_rate),
    )
    return GeneratedTape(plan)


async def _serve(venue: SimulatedVenue, arguments: Namespace, stopping: asyncio.Event) -> None:
    async with venue.serving(arguments.port):
        ready = {"port": venue.port, "stream_url": venue.stream_url, "rest_url": venue.rest_url}
        with suppress(BrokenPipeError):  # the parent has gone, and nobody asks any more
            os.write(arguments.ready_fd, msgspec.json.encode(ready) + b"\n")
        await stopping.wait()


if __name__ == "__main__":
    sys.exit(main())
