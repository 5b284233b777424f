"""Whether a command line can be meant, told before anything starts or is written."""

import os
from collections.abc import Iterable
from math import isfinite
from pathlib import Path

from typer import BadParameter

_LAST_PORT = 65535


def port(number: int | None) -> int | None:
    """Refuse a port that nobody can listen on."""
    if number is not None and not 0 <= number <= _LAST_PORT:
        message = f"{number} is no port: they go from 1 to {_LAST_PORT}, and 0 takes one that is free"
        raise BadParameter(message)
    return number


def length(seconds: float) -> float:
    """Refuse a length that is none."""
    if not (isfinite(seconds) and seconds >= 0):
        message = f"{seconds} is not a number of seconds from 0, which means until Ctrl-C"
        raise BadParameter(message)
    return seconds


def rate(frames: float) -> float:
    """Refuse a rate at which nothing would ever come."""
    if not (isfinite(frames) and frames > 0):
        message = f"{frames} is not a number of frames a second above 0"
        raise BadParameter(message)
    return frames


def processes(text: str | None) -> str | None:
    """Refuse what is no number of processes."""
    if text is not None and text != "auto" and not (text.isdecimal() and int(text) > 0):
        message = f"{text!r} is neither auto nor a number from 1"
        raise BadParameter(message)
    return text


def pool(processes: str, least: int, most: int | None) -> tuple[int, int]:
    """Return between how many processes a pool stays; refuse bounds that are none."""
    if processes != "auto":
        return int(processes), int(processes)
    cores = max(least, os.cpu_count() or 1)
    if most is not None and most < least:
        message = f"--most {most} is less than --least {least}"
        raise BadParameter(message)
    return least, cores if most is None else most


def report(file: Path | None) -> Path | None:
    """Refuse a file that could not be written at the end."""
    if file is None:
        return None
    if file.is_dir():
        message = f"{file} is a folder: name a file"
    elif not file.parent.is_dir():
        message = f"{file.parent} is no folder: make it first"
    elif not os.access(file if file.exists() else file.parent, os.W_OK):
        message = f"{file} may not be written: choose another place"
    else:
        return file
    raise BadParameter(message)


def speed(text: str) -> str:
    """Refuse a speed at which nothing can be played."""
    from market.errors import InvalidInputError
    from sim.pacing import parse_speed

    try:
        parse_speed(text)
    except InvalidInputError as error:
        raise BadParameter(str(error)) from error
    return text


def simulated(venue: str) -> str:
    """Refuse a venue that cannot be simulated."""
    from market.nearest import suggestion
    from sim.protocols import NAMES

    if venue not in NAMES:
        near = suggestion(venue, NAMES)
        message = f"{venue!r} is none of {', '.join(NAMES)}{near and '; ' + near}"
        raise BadParameter(message)
    return venue


def live(options: list[str] | None) -> list[str] | None:
    """Refuse feeds that cannot be, and feeds that are named twice."""
    if not options:
        return options
    from heliograph.feeds import parse
    from ingest.naming import instrument_named
    from market.errors import InvalidInputError

    try:
        feeds = [parse(option) for option in options]
        named = [instrument_named(feed["venue"], symbol).key for feed in feeds for symbol in feed["symbols"]]
    except InvalidInputError as error:
        raise BadParameter(str(error)) from error
    if twice := _repeated(named):
        message = f"{twice} is named twice"
        raise BadParameter(message)
    return options


def role(name: str) -> str:
    """Refuse a role that there is not."""
    from heliograph.roles import ROLES
    from market.nearest import suggestion

    names = [each.name for each in ROLES]
    if name not in names:
        near = suggestion(name, names)
        message = f"{name!r} is no role; there are {', '.join(sorted(names))}{near and '; ' + near}"
        raise BadParameter(message)
    return name


def noun(name: str) -> str:
    """Refuse a noun of which there is no history."""
    from heliograph.querying import Noun
    from market.nearest import suggestion

    if name not in list(Noun):
        near = suggestion(name, list(Noun))
        message = f"{name!r} is none of {', '.join(Noun)}{near and '; ' + near}"
        raise BadParameter(message)
    return name


def address(url: str | None) -> str | None:
    """Refuse an address that leads nowhere."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url or "http://host")
        usable = parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        message = f"{url!r} is no address of an API: write it like http://127.0.0.1:8000"
        raise BadParameter(message)
    return url


def playable(venue: str, files: Iterable[Path]) -> None:
    """Refuse recordings in which the venue says nothing; one that says something is known at once."""
    from market.errors import InvalidInputError
    from sim.messages import parsed
    from sim.offered import NOTHING, count
    from sim.recordings import Frame, read_all

    try:
        for record in read_all(tuple(files)):
            if isinstance(record, Frame) and count(venue, parsed(record.text)) != NOTHING:
                return
    except InvalidInputError as error:
        raise BadParameter(str(error)) from error
    names = ", ".join(map(str, files))
    message = f"{names}: no trade, quote, or depth of {venue}; check the venue's name"
    raise BadParameter(message)


def _repeated(names: Iterable[str]) -> str:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""
