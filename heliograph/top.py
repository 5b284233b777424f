"""``heliograph top``: everything that runs, drawn anew every second."""

import asyncio
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from db.connections import connected
from heliograph.looking import Look, Moved, look, moved
from heliograph.whereabouts import database_url
from market.errors import StoreError
from market.times import SECOND, to_iso
from runtime.clock import now
from runtime.lifecycle import Main, wait_at_most

_SLOW_SECONDS: Final = 5.0
_CLOCK = slice(11, 19)


class Screen(Protocol):
    """Where it is shown."""

    def show(self, seen: Look, rates: Moved) -> None:
        """Show one look, and what moved since the one before."""

    def lose(self, error: StoreError) -> None:
        """Show that PostgreSQL is not there."""


class _Terminal:
    """Drawn over itself."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, seen: Look, rates: Moved) -> None:
        self._live.update(drawn(seen, rates), refresh=True)

    def lose(self, error: StoreError) -> None:
        told = f"{error}\nLooked for again every moment; Ctrl-C ends this."
        self._live.update(Text(told, style="bold red"), refresh=True)


class _Lines:
    """Printed one after the other, as a picture or as JSON."""

    def __init__(self, console: Console, *, as_json: bool) -> None:
        self._console = console
        self._as_json = as_json

    def show(self, seen: Look, rates: Moved) -> None:
        if self._as_json:
            sys.stdout.write(json.dumps(_told(seen, rates)) + "\n")
            sys.stdout.flush()
        else:
            self._console.print(drawn(seen, rates))

    def lose(self, error: StoreError) -> None:
        sys.stderr.write(f"heliograph: {error}\n")


def top(every_seconds: float, data_dir: Path | None, *, once: bool, as_json: bool) -> Main:
    """Return what draws until it is told to stop; ``once``, or without a terminal: one look is printed."""
    url, console = database_url(data_dir), Console(file=sys.stdout)

    async def main(stopping: asyncio.Event) -> None:
        if as_json or once or not console.is_terminal:
            lines = _Lines(console, as_json=as_json)
            await watch(url, every_seconds, lines, stopping, once=once or not as_json)
            return
        with Live(console=console, screen=True, auto_refresh=False) as live:
            await watch(url, every_seconds, _Terminal(live), stopping, once=False)

    return main


async def watch(
    url: str, every_seconds: float, screen: Screen, stopping: asyncio.Event, *, once: bool
) -> None:
    """Look, wait, look again, show, through every loss of PostgreSQL unless it is but ``once``."""
    while not stopping.is_set():
        try:
            async with connected(url, "heliograph top") as connection:
                before = await look(connection, now())
                while True:
                    await wait_at_most(stopping, every_seconds)
                    if stopping.is_set():
                        return
                    after = await look(connection, now())
                    screen.show(after, moved(before, after))
                    if once:
                        return
                    before = after
        except StoreError as error:
            if once:
                raise
            screen.lose(error)
            await wait_at_most(stopping, every_seconds)


def drawn(seen: Look, rates: Moved) -> RenderableType:
    """Return all of it as rich draws it."""
    return Group(
        _headline(seen, rates),
        _table(
            "feeds",
            ("exchange", "sockets", "silent for", "stored/s", "repeated/s", "refused/s"),
            _feeds(rates),
        ),
        _table("processes", ("role", "pid", "seen", "does, a second"), _processes(rates)),
        _table(
            "newest signals", ("at", "instrument", "kind", "direction", "strength", "lag"), _signals(seen)
        ),
        _table("gaps that stand", ("from", "instrument", "cause", "state", "detail"), _gaps(seen)),
    )


def _headline(seen: Look, rates: Moved) -> RenderableType:
    queue, repairs, gaps = seen.overview.queue, seen.overview.repairs, seen.overview.gaps
    slow = queue.oldest_seconds > _SLOW_SECONDS
    telling = "-" if rates.telling_seconds is None else f"{rates.telling_seconds * 1000:.1f} ms"
    return Text.assemble(
        ("heliograph ", "bold"),
        f"{to_iso(seen.at)[_CLOCK]} UTC   queue ",
        (f"{queue.batches} batches, oldest {queue.oldest_seconds:.2f} s", "bold red" if slow else "green"),
        f"   commit to bus {telling}   repairs {repairs.dirty} + {repairs.staged}",
        f"   suspended {repairs.quarantines}   gaps {gaps.open} open, {gaps.healing} healing\n",
    )


def _table(title: str, heading: Iterable[str], rows: Iterable[tuple[str, ...]]) -> RenderableType:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in heading:
        table.add_column(name, header_style="dim", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _feeds(rates: Moved) -> Iterable[tuple[str, ...]]:
    for each in rates.feeds:
        figures = (f"{value:,.0f}" for value in (each.stored, each.duplicates, each.rejected))
        yield (each.exchange, str(each.sockets), _age(each.age_seconds), *figures)


def _processes(rates: Moved) -> Iterable[tuple[str, ...]]:
    for each in rates.processes:
        does = "  ".join(f"{name} {value:,.1f}" for name, value in each.does.items())
        yield (each.role, str(each.pid), _age(each.age_seconds), does)


def _signals(seen: Look) -> Iterable[tuple[str, ...]]:
    for each in seen.signals:
        signal, lag = each.signal, (each.committed_at - each.received_at) / SECOND
        name = seen.names.get(each.instrument_id, "?")
        at = to_iso(signal.ts)[_CLOCK]
        yield (at, name, signal.kind, signal.direction, f"{signal.strength:+.2f}", f"{lag * 1000:,.0f} ms")


def _gaps(seen: Look) -> Iterable[tuple[str, ...]]:
    for each in seen.gaps:
        name = seen.names.get(each.instrument_id, "?")
        yield (to_iso(each.from_ts)[_CLOCK], name, each.cause, each.state, each.detail)


def _age(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f} s"


def _told(seen: Look, rates: Moved) -> dict[str, Any]:
    told: dict[str, Any] = {
        "at": to_iso(seen.at),
        "queue": seen.overview.queue,
        "repairs": seen.overview.repairs,
        "gaps": seen.overview.gaps,
        **{name: getattr(rates, name) for name in rates.__struct_fields__},
    }
    built: dict[str, Any] = msgspec.to_builtins(told)
    return built
