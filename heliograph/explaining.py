"""``heliograph explain``: why a signal was told, on the console."""

import asyncio
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from api.explanations import Explanation, Step, Tick
from api.schemas import Signal
from db import coverage, instruments
from db.connections import connected
from db.history import signals
from db.instruments import Listed
from heliograph.whereabouts import database_url
from market import signal_ids
from market.errors import UnknownInstrumentError
from market.signal_ids import SignalId
from workers.explaining import explain as decided_again

DIFFERENT = 1
"""The exit code when the stored ticks decide something else today."""


def explain(name: str, limit: int, data_dir: Path | None, *, as_json: bool) -> int:
    """Print why a signal was told; return the exit code."""
    told = asyncio.run(_explanation(signal_ids.parse(name), limit, data_dir))
    if as_json:
        sys.stdout.write(told.model_dump_json(indent=2) + "\n")
    else:
        sys.stdout.write("\n".join(lines(told)) + "\n")
    return DIFFERENT if told.equal is False else 0


async def _explanation(wanted: SignalId, limit: int, data_dir: Path | None) -> Explanation:
    async with connected(database_url(data_dir), "heliograph explain") as connection:
        listed = _listed(wanted, await instruments.listed(connection))
        stored = await signals.named(connection, listed, wanted)
        told = await decided_again(connection, listed.exchange_id, stored, limit)
        [share] = await coverage.shares(connection, [coverage.of_signal(listed.instrument_id, stored.signal)])
    return Explanation.of(listed, stored, share, told)


def _listed(wanted: SignalId, listed: Iterable[Listed]) -> Listed:
    for each in listed:
        if (each.instrument.exchange, each.instrument.symbol) == (wanted.exchange, wanted.symbol):
            return each
    message = f"no instrument {wanted.symbol!r} on {wanted.exchange!r} is listed in this database"
    raise UnknownInstrumentError(message)


def lines(told: Explanation) -> list[str]:
    """Return what people are shown."""
    return [
        *_signal(told.signal),
        "",
        _verdict(told),
        "",
        f"{len(told.steps)} of {told.steps_total} steps:",
        *map(_step, told.steps),
        "",
        f"{len(told.ticks)} of {told.ticks_total} ticks, in {len(told.bars)} bars:",
        *map(_tick, told.ticks),
    ]


def _signal(signal: Signal) -> list[str]:
    return [
        f"{signal.exchange} {signal.symbol} {signal.kind} {signal.direction} at {signal.ts}",
        f"  strength {signal.strength:+.4f}, confidence {signal.confidence:.4f}, price {signal.price}",
        f"  evidence: {_numbers(signal.evidence)}",
        f"  parameters (version {signal.parameters_version}): {_numbers(signal.parameters)}",
        f"  input: {signal.from_ts} to {signal.to_ts}, coverage {signal.coverage:.4f}",
        f"  memory: {'warm, all of it was seen' if signal.warm else 'cold, the tape began within it'}",
        f"  code: {signal.kind} {signal.version} of heliograph {signal.code_version or 'unknown'}",
        f"  latency: {_latency(signal)}",
    ]


def _latency(signal: Signal) -> str:
    if signal.latency_ms is None:
        return "none, as it was computed again later"
    legs = signal.latency_ms.model_dump().items()
    return ", ".join(
        f"{leg.replace('_', ' ')} {'?' if taken is None else f'{taken:.3f} ms'}" for leg, taken in legs
    )


def _verdict(told: Explanation) -> str:
    if told.equal is None:
        return f"It was not computed again: {told.reason}"
    if told.equal:
        return "Computed again from the stored ticks, with these parameters: the same signal."
    if told.recomputed is None:
        return "Computed again from the stored ticks, with these parameters: NO signal."
    return "\n".join(
        [
            "Computed again from the stored ticks, with these parameters: ANOTHER signal.",
            *_signal(told.recomputed),
        ]
    )


def _step(step: Step) -> str:
    value = "-" if step.value is None else f"{step.value:.6g}"
    told = f"  -> {step.told}" if step.told else ""
    return f"  {step.ts}  {value:>12}  {step.phase or '-':<5}  {_numbers(step.evidence)}{told}"


def _tick(tick: Tick) -> str:
    if tick.price is not None:
        return f"  {tick.ts}  {tick.id:>12}  {tick.side or '-':<7}  {tick.size} at {tick.price}"
    best = [_best(tick.bid_prices, tick.bid_sizes), _best(tick.ask_prices, tick.ask_sizes)]
    return f"  {tick.ts}  {tick.id:>12}  bid {best[0]}, ask {best[1]}"


def _best(prices: Sequence[float] | None, sizes: Sequence[float] | None) -> str:
    return f"{sizes[0]} at {prices[0]}" if prices and sizes else "-"


def _numbers(numbers: dict[str, float] | dict[str, int | float]) -> str:
    return ", ".join(f"{name} {number:.6g}" for name, number in numbers.items())
