"""What each role of the stack holds in memory: with a market that hardly moves, and with a busy one."""

from collections.abc import Mapping
from functools import partial

import msgspec

from bench import pipeline, usage
from bench.effort import Effort
from bench.reports import Report, report
from bench.rounds import Contestant, Figures, alternate

_RATES: Mapping[str, float] = {"idle": 10.0, "loaded": 5_000.0}
"""Made-up frames a second."""


async def measure(url: str, effort: Effort) -> Report:
    """Run all roles for ``effort.seconds`` on each market."""
    seen: dict[str, dict[str, list[float]]] = {}
    contestants: dict[str, Contestant] = {
        name: partial(
            _run, url, name, msgspec.structs.replace(effort, seconds=max(effort.seconds, 1.0)), seen
        )
        for name in _RATES
    }
    await alternate(contestants, msgspec.structs.replace(effort, seconds=0.0))
    rounds = {part: _rounds(found) for part, found in sorted(seen.items()) if len(found) == len(_RATES)}
    told = ", ".join(f"{name} at {rate:,.0f} frames/s" for name, rate in _RATES.items())
    return report("memory", f"the most that each part held at once, {told}", rounds, {})


async def _run(url: str, name: str, effort: Effort, seen: dict[str, dict[str, list[float]]]) -> Figures:
    async with usage.watched() as used:
        await pipeline.run(url, pipeline.paced(_RATES[name], effort))
    for part, megabytes in used.peak_mb.items():
        seen.setdefault(part, {}).setdefault(name, []).append(megabytes)
    return {}


def _rounds(found: Mapping[str, list[float]]) -> list[Figures]:
    return [
        dict(zip([f"MB {name}" for name in _RATES], values, strict=True))
        for values in zip(*[found[name] for name in _RATES], strict=True)
    ]
