"""Kinds that are quarantined say nothing, however their tape is folded. Pure."""

from collections.abc import Iterable

import msgspec

from workers.folding import InstrumentState


class Silence(msgspec.Struct, frozen=True):
    """A kind that tells nothing from ``from_ts`` on."""

    kind: str
    from_ts: int


def speaks(silences: Iterable[Silence], kind: str, ts: int) -> bool:
    """Tell whether a kind is not silent at ``ts``."""
    return not any(each.kind == kind and each.from_ts <= ts for each in silences)


def silenced(state: InstrumentState, silences: Iterable[Silence], ts: int) -> InstrumentState:
    """Return ``state`` with those kinds stopped that are silent at ``ts``."""
    stopped = {each.kind: None for each in silences if each.from_ts <= ts and each.kind in state.kinds}
    return msgspec.structs.replace(state, kinds={**state.kinds, **stopped}) if stopped else state
