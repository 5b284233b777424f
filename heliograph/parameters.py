"""``heliograph parameters``: with which numbers signals are computed, chosen while everything runs."""

import asyncio
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from db import dirty, instruments, parameters
from db.connections import connected
from db.dirty import DirtyInterval
from db.instruments import Listed
from heliograph.changing import changing
from heliograph.whereabouts import database_url
from market.errors import InvalidInputError, UnknownInstrumentError
from market.nearest import suggestion
from market.parameters import Chosen
from market.times import DAY, SECOND, to_iso
from runtime.clock import now
from workers.eras import Eras, Timelines
from workers.kinds.catalogue import KINDS, changed
from workers.kinds.fold import AnyFold
from workers.kinds.trying import try_out

if TYPE_CHECKING:
    from db.connections import Connection

SOON: Final = 5 * SECOND
"""When a choice begins to count, if nothing else is said: every worker knows of it by then."""

_KNOWN_WITHIN: Final = 2 * SECOND


class Options(NamedTuple):
    """What every verb can be told."""

    data_dir: Path | None
    as_json: bool
    dry_run: bool = False


class Wanted(NamedTuple):
    """What is to be chosen; without ``numbers``, the kind's own."""

    exchange: str
    symbol: str
    kind: str
    numbers: Sequence[str]
    from_ts: int | None


def show(exchange: str | None, symbol: str | None, options: Options) -> None:
    """Print the kinds' own numbers, and what was chosen in place of them."""
    chosen, names = asyncio.run(_read(options))
    shown = [
        each for each in chosen
        if (exchange in (None, names[each.instrument_id].instrument.exchange))
        and (symbol in (None, names[each.instrument_id].instrument.symbol))
    ]  # fmt: skip
    if options.as_json:
        own = {fold.kind: dict(fold.parameters) for fold in KINDS}
        _print_json({"own": own, "chosen": [fields(each, names) for each in shown]})
        return
    for fold in KINDS:
        sys.stdout.write(f"{fold.kind}: {_numbers(fold.parameters)}\n")
    for each in shown:
        sys.stdout.write(f"{sentence(each, names)}\n")


def choose(wanted: Wanted, options: Options) -> None:
    """Choose numbers, and say what becomes of them."""
    made = asyncio.run(_chosen(wanted, options))
    if options.as_json:
        _print_json({**fields(made.chosen, made.names), "computed_again": made.again})
        return
    would = " would be chosen" if options.dry_run else ""
    sys.stdout.write(f"{sentence(made.chosen, made.names)}{would}\n")
    if made.again:
        sys.stdout.write("signals since then are computed again, and corrected on the stream\n")


class _Made(NamedTuple):
    chosen: Chosen
    names: Mapping[int, Listed]
    again: bool


async def _read(options: Options) -> tuple[list[Chosen], dict[int, Listed]]:
    async with connected(database_url(options.data_dir), "heliograph parameters") as connection:
        return await parameters.chosen(connection), await _names(connection)


async def _chosen(wanted: Wanted, options: Options) -> _Made:
    """Choose in one transaction; a dry run is rolled back, and nobody hears of it."""
    async with changing(options.data_dir, "parameters") as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            made = await chosen_in(connection, wanted, now())
        except BaseException:
            await transaction.rollback()
            raise
        await (transaction.rollback() if options.dry_run else transaction.commit())
        return made


async def chosen_in(connection: "Connection", wanted: Wanted, at: int) -> _Made:
    """Choose in the transaction that is open; what was computed otherwise already is marked dirty."""
    names = await _names(connection)
    listed = _named(wanted, names.values())
    fold = _kind(wanted.kind)
    await parameters.hold(connection)
    timelines = Timelines(KINDS)
    timelines.learn(await parameters.chosen(connection))
    from_ts = at + SOON if wanted.from_ts is None else wanted.from_ts
    numbers = _meant(fold, timelines.of(listed.instrument_id), from_ts, wanted.numbers)
    chosen = await parameters.choose(connection, listed.instrument_id, fold.kind, from_ts, numbers)
    again = from_ts < at + _KNOWN_WITHIN
    if again:
        stretch = DirtyInterval(listed.instrument_id, from_ts, max(at, from_ts) + DAY)
        await dirty.mark(connection, [stretch], "parameters")
    return _Made(chosen, names, again)


def _meant(fold: AnyFold, eras: Eras | None, from_ts: int, said: Sequence[str]) -> Mapping[str, int | float]:
    """Return all numbers: those that are said, in place of what counts at ``from_ts``."""
    if not said:
        return dict(fold.parameters)
    before = eras.at(fold, from_ts).fold if eras else fold
    made = changed(fold, {**before.parameters, **dict(map(_number, said))})
    try_out(made)
    return dict(made.parameters)


def _number(said: str) -> tuple[str, int | float]:
    name, _, text = said.partition("=")
    try:
        return name, int(text) if text.lstrip("+-").isdecimal() else float(text)
    except ValueError as error:
        message = f"{said!r} is not NAME=NUMBER, like oversold=25"
        raise InvalidInputError(message) from error


def _kind(name: str) -> AnyFold:
    found = next((fold for fold in KINDS if fold.kind == name), None)
    if found is None:
        names = [fold.kind for fold in KINDS]
        message = f"there is no kind {name!r}; {suggestion(name, names) or 'there are ' + ', '.join(names)}"
        raise InvalidInputError(message)
    return found


def _named(wanted: Wanted, listed: Iterable[Listed]) -> Listed:
    key = f"{wanted.exchange}:{wanted.symbol}"
    by_key = {each.instrument.key: each for each in listed}
    if key not in by_key:
        near = suggestion(key, by_key) or "`heliograph feeds list` shows what is listened to"
        message = f"no instrument {key} is listed; {near}"
        raise UnknownInstrumentError(message)
    return by_key[key]


async def _names(connection: "Connection") -> dict[int, Listed]:
    return {each.instrument_id: each for each in await instruments.listed(connection)}


def fields(chosen: Chosen, names: Mapping[int, Listed]) -> dict[str, Any]:
    """Return a choice as JSON has it."""
    instrument = names[chosen.instrument_id].instrument
    return {
        "exchange": instrument.exchange,
        "symbol": instrument.symbol,
        "kind": chosen.kind,
        "version": chosen.version,
        "from_ts": to_iso(chosen.from_ts),
        "parameters": chosen.numbers,
        "set_at": to_iso(chosen.set_at),
    }


def sentence(chosen: Chosen, names: Mapping[int, Listed]) -> str:
    """Return a choice as people read it."""
    key = names[chosen.instrument_id].instrument.key
    return f"{key} {chosen.kind} {chosen.version} from {to_iso(chosen.from_ts)}: {_numbers(chosen.numbers)}"


def _numbers(numbers: Mapping[str, int | float]) -> str:
    return ", ".join(f"{name}={number:g}" for name, number in numbers.items())


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
