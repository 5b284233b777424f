"""``heliograph chaos``: a run in which everything goes wrong, and its report."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from heliograph.chaos.listeners import Heard
from heliograph.chaos.plan import plan as strikes_of
from heliograph.chaos.run import Report, run
from heliograph.chaos.verdict import Verdict
from heliograph.console import suitable
from heliograph.stack import Plan, run_stack
from market.errors import StackError
from market.times import MINUTE, SECOND

LIVE_WORKERS = 2
"""At least: one takes over what another was killed in the middle of."""

_A_MINUTE = MINUTE // SECOND


class Market(NamedTuple):
    """What a simulated venue makes up: symbols, and frames a second of all of them together."""

    venue: str
    symbols: tuple[str, ...]
    rate: float


MARKETS = (
    Market("binance", ("BTC/USDT", "ETH/USDT", "SOL/USDT"), 150.0),
    Market("coinbase", ("BTC/USD", "ETH/USD"), 80.0),
    Market("kraken", ("BTC/USD", "SOL/USD"), 60.0),
)


def chaos(  # noqa: PLR0913 - these are its options
    plan: Plan,
    *,
    seed: int,
    minutes: float,
    every_seconds: float,
    venues: Sequence[str],
    kinds: Sequence[str],
    load: float,
    report: Path | None,
) -> None:
    """Run, strike, judge, and report; raises StackError when anything is wrong."""
    markets = [market for market in MARKETS if market.venue in venues]
    seconds = minutes * _A_MINUTE
    strikes = strikes_of(seed, seconds, [market.venue for market in markets], every_seconds, kinds)
    simulations = {market.venue: _simulation(market, seed, seconds, load) for market in markets}
    console = suitable(sys.stderr)
    reports: list[Report] = []

    async def main(stopping: asyncio.Event) -> None:
        outcome = await run(plan, console, simulations, strikes, stopping)
        if outcome is not None:
            reports.append(outcome)

    run_stack(main)
    for outcome in reports:
        _present(outcome, report)


def _simulation(market: Market, seed: int, seconds: float, load: float) -> list[str]:
    """Return the arguments of one simulated venue, which says ``load`` times as much as it usually does."""
    return [
        *("--venue", market.venue, "--generate", "--symbols", ",".join(market.symbols)),
        *("--rate", str(market.rate * load), "--seed", str(seed), "--seconds", str(seconds)),
    ]


def _present(report: Report, file: Path | None) -> None:
    text = msgspec.json.format(msgspec.json.encode(report), indent=2).decode()
    if sys.stdout.isatty():
        from rich.console import Console

        Console().print(_table(report), _subscribers(report))
    else:
        sys.stdout.write(f"{text}\n")
    if file is not None:
        file.write_text(f"{text}\n")
    if not report.passed:
        why = "a fault was found" if report.settled else "gaps or batches were still open at the end"
        message = f"{why}: see the report, and logs/ in the data folder"
        raise StackError(message)


def _table(report: Report) -> Any:  # noqa: ANN401 - rich is imported only where a table is drawn
    from rich.table import Table

    columns = [name.replace("_", " ") for name in Verdict.__struct_fields__]
    title = f"{len(report.strikes)} strikes in {report.seconds:.0f} s"
    table = Table("", *columns, box=None, title=title, title_justify="left")
    for instrument, verdict in report.verdicts.items():
        table.add_row(instrument, *(f"{count:,}" for count in msgspec.structs.astuple(verdict)))
    for name, count in sorted(report.gaps.items()):
        table.add_row(f"gaps: {name}", f"{count:,}")
    return table


def _subscribers(report: Report) -> Any:  # noqa: ANN401 - as above
    from rich.table import Table

    columns = [name.replace("_", " ") for name in Heard.__struct_fields__]
    table = Table("subscriber", *columns, box=None)
    for name, heard in report.subscribers.items():
        table.add_row(name, *(f"{count:,}" for count in msgspec.structs.astuple(heard)))
    return table
