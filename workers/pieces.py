"""A computation is handed over in pieces, each of which is told in a short claim. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from market.times import SECOND, floor
from workers.decisions import since, undecided_from
from workers.folding import InstrumentState
from workers.recomputing import Range, Recomputed

AT_ONCE: Final = 150
"""Bars and signals of a piece, about."""


def pieces(
    made: Recomputed, state: InstrumentState | None, asked_to: int, at_once: int = AT_ONCE
) -> Iterator[tuple[int, int, Recomputed]]:
    """Yield pieces in order of time, each with the stretch that is computed again if it comes too late.

    ``made`` was asked for up to ``asked_to``; what lies beyond only remembers it. What is told of a piece
    does not depend on whether others were. All failures, and the state, are in the last.
    """
    cuts = _cuts(made, _decided_until(made, state), at_once)
    rest = made
    for cut in cuts:
        yield rest.from_ts, cut, _before(rest, cut)
        rest = _after(rest, cut)
    yield rest.from_ts, max(asked_to, rest.from_ts + 1), rest


def _decided_until(made: Recomputed, state: InstrumentState | None) -> int:
    """Return before which time everything is told alike, whether live has come further or not."""
    if state is None:
        return made.to_ts
    told = since(state)
    return min(made.to_ts, told.bar_signals, told.depth_signals, undecided_from(state))


def _cuts(made: Recomputed, until: int, at_once: int) -> Sequence[int]:
    times = sorted([*(each.bar.start for each in made.bars), *(each.signal.ts for each in made.signals)])
    cuts = {floor(ts, SECOND) for ts in times[at_once::at_once]}
    return sorted(cut for cut in cuts if made.from_ts < cut < until)


def _before(made: Recomputed, cut: int) -> Recomputed:
    return msgspec.structs.replace(
        made,
        to_ts=cut,
        ranges={key: Range(each.from_ts, _within(cut, each)) for key, each in made.ranges.items()},
        bars=[each for each in made.bars if each.bar.start < cut],
        signals=[each for each in made.signals if each.signal.ts < cut],
        indicators=[each for each in made.indicators if each.ts < cut],
        failures=[],
        state=None,
    )


def _after(made: Recomputed, cut: int) -> Recomputed:
    return msgspec.structs.replace(
        made,
        from_ts=cut,
        ranges={key: Range(_within(cut, each), each.to_ts) for key, each in made.ranges.items()},
        bars=[each for each in made.bars if each.bar.start >= cut],
        signals=[each for each in made.signals if each.signal.ts >= cut],
        indicators=[each for each in made.indicators if each.ts >= cut],
    )


def _within(cut: int, of: Range) -> int:
    return max(of.from_ts, min(of.to_ts, cut))
