"""``heliograph top``: everything that runs, drawn anew every second."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

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

_SLOW_SECONDS: Final = 5.0
_CLOCK = slice(11, 19)

Show = Callable[[Look, Moved], None]


def top(every_seconds: float, data_dir: Path | None, *, once: bool, as_json: bool) -> None:
    """Draw until Ctrl-C; ``once``: after one interval, and then end, as wherever there is no terminal."""
    url = database_url(data_dir)
    if as_json:
        asyncio.run(_watch(url, every_seconds, _print_json, once=once))
        return
    console = Console(file=sys.stdout)
    if once or not console.is_terminal:
        asyncio.run(_watch(url, every_seconds, lambda *seen: console.print(drawn(*seen)), once=True))
        return
    with Live(console=console, screen=True, auto_refresh=False) as live:
        show: Show = lambda *seen: live.update(drawn(*seen), refresh=True)  # noqa: E731 - typed as what it is
        asyncio.run(_watch(url, every_seconds, show, once=False))


async def _watch(url: str, every_seconds: float, show: Show, *, once: bool) -> None:
    """Look, wait, look again, show, through every loss of PostgreSQL unless it is but ``once``."""
    while True:
        try:
            async with connected(url, "heliograph top") as connection:
                before = await look(connection, now())
                while True:
                    await asyncio.sleep(every_seconds)
                    after = await look(connection, now())
                    show(after, moved(before, after))
                    if once:
                        return
                    before = after
        except StoreError:
            if once:
                raise
            await asyncio.sleep(every_seconds)


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


def _print_json(seen: Look, rates: Moved) -> None:
    told: dict[str, Any] = {
        "at": to_iso(seen.at),
        "queue": seen.overview.queue,
        "repairs": seen.overview.repairs,
        "gaps": seen.overview.gaps,
        **{name: getattr(rates, name) for name in rates.__struct_fields__},
    }
    sys.stdout.write(json.dumps(msgspec.to_builtins(told)) + "\n")
    sys.stdout.flush()
