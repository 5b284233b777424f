"""With which parameters each kind is computed on each instrument: a function of event time alone."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from market.errors import InvalidInputError
from market.parameters import Chosen
from workers.kinds.catalogue import changed
from workers.kinds.fold import AnyFold, Input
from workers.kinds.reading import Gauge

FOR_EVER: Final = 2**63


class Era(NamedTuple):
    """A kind made with one version of its parameters, and from when on it counts."""

    version: int
    from_ts: int
    fold: AnyFold


class Eras:
    """The eras of the kinds on one instrument."""

    def __init__(self) -> None:
        self._eras: dict[str, list[Era]] = {}

    def add(self, era: Era) -> None:
        """Take in the next version of a kind's parameters."""
        self._eras.setdefault(era.fold.kind, []).append(era)

    def made(self, fold: AnyFold, version: int) -> AnyFold:
        """Return ``fold`` as it is made with this version of its parameters, if that is known."""
        found = (era.fold for era in self._eras.get(fold.kind, ()) if era.version == version)
        return next(found, fold)

    def at(self, fold: AnyFold, ts: int) -> Era:
        """Return the era of a kind at ``ts``: of those that have begun, the one that was said last."""
        begun = (era for era in reversed(self._eras.get(fold.kind, ())) if era.from_ts <= ts)
        return next(begun, Era(0, 0, fold))

    def until(self, folds: Sequence[AnyFold], ts: int) -> int:
        """Return when the next era of any of these kinds begins after ``ts``."""
        begins = [era.from_ts for fold in folds for era in self._eras.get(fold.kind, ()) if era.from_ts > ts]
        return min(begins, default=FOR_EVER)


class Taking(NamedTuple):
    """Which kinds take what, and which of them are measured with it."""

    steps: Mapping[Input, Sequence[AnyFold]]
    gauges: Mapping[Input, Sequence[Any]]

    @classmethod
    def of(cls, folds: Sequence[AnyFold]) -> "Taking":
        """Sort kinds by what they take."""
        steps = {side: [fold for fold in folds if fold.input is side] for side in Input}
        gauges = {side: [fold for fold in steps[side] if isinstance(fold, Gauge)] for side in Input}
        return cls(steps, gauges)

    def made(self, eras: Eras, versions: Mapping[str, int]) -> "Taking":
        """Return the same kinds as they are made with these versions of their parameters."""
        folds = (fold for of_side in self.steps.values() for fold in of_side)
        return self.of([eras.made(fold, versions.get(fold.kind, 0)) for fold in folds])


class Timelines:
    """What was chosen, as far as it is known here."""

    def __init__(self, kinds: Sequence[AnyFold]) -> None:
        """Know nothing chosen yet for these kinds."""
        self._kinds: Mapping[str, AnyFold] = {fold.kind: fold for fold in kinds}
        self._made = list(kinds)
        self._instruments: dict[int, Eras] = {}
        self._span = 0
        self._items: dict[Input, int] = {}
        self._look_back()
        self.newest = 0
        """The highest ``parameters_id`` that is known."""

    def of(self, instrument_id: int) -> Eras | None:
        """Return the eras of an instrument; None when nothing was ever chosen for it."""
        return self._instruments.get(instrument_id)

    def learn(self, chosen: Iterable[Chosen]) -> list[str]:
        """Take in what was chosen since, in order; return why some of it cannot be used here."""
        refused = []
        for each in chosen:
            self.newest = max(self.newest, each.parameters_id)
            fold = self._kinds.get(each.kind)
            if fold is None:
                continue
            try:
                self._add(each, changed(fold, each.numbers))
            except InvalidInputError as error:
                refused.append(f"{each.kind} on instrument {each.instrument_id}: {error}")
        return refused

    def _add(self, each: Chosen, fold: AnyFold) -> None:
        self._made.append(fold)
        self._look_back()
        eras = self._instruments.setdefault(each.instrument_id, Eras())
        eras.add(Era(each.version, each.from_ts, fold))

    def items(self, side: Input) -> int:
        """Return how many items before its span the kind that looks back furthest remembers."""
        return self._items[side]

    def span(self) -> int:
        """Return the longest span of any kind."""
        return self._span

    def _look_back(self) -> None:
        self._span = max((fold.memory.span for fold in self._made), default=0)
        for side in Input:
            memories = [fold.memory for fold in self._made if fold.input is side]
            self._items[side] = max((memory.items for memory in memories), default=0)
