"""States of instruments at rest: in checkpoints, and in what is staged. Pure."""

from typing import Final, NamedTuple

import msgspec

from market.bars import Bar
from market.depths import Depth
from market.ticks import TapeKey
from workers.folding import Folder, InstrumentState
from workers.kinds.fold import AnyFold
from workers.running import Running, restored
from workers.trails import Trail

_StoredKinds = dict[str, tuple[int, msgspec.Raw]]


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    cursor: TapeKey
    running: Running
    kinds: _StoredKinds
    trail: Trail = Trail()
    second: Bar | None = None
    depth: Depth | None = None
    versions: dict[str, int] = {}


class Restored(NamedTuple):
    """A state that was stored; ``begun`` are the kinds that begin anew in it, and have seen nothing yet."""

    state: InstrumentState
    begun: tuple[str, ...]


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Stored)


def encode(folder: Folder, state: InstrumentState) -> bytes:
    """Return ``state`` as it is stored."""
    kinds = {fold.kind: (fold.version, state.kinds[fold.kind]) for fold in folder.kinds}
    rest = (state.trail, state.second, state.depth, state.versions)
    return _encoder.encode((state.cursor, state.running, kinds, *rest))


def decode(folder: Folder, data: bytes) -> InstrumentState:
    """Return the state stored as ``data``; as ``restore``."""
    return restore(folder, data).state


def restore(folder: Folder, data: bytes) -> Restored:
    """Return the state stored as ``data``; what is new, or of another version, or unreadable, begins anew.

    Raises msgspec.DecodeError on what is no state at all.
    """
    stored = _decoder.decode(data)
    known = {
        fold.kind: state
        for fold in folder.kinds
        if fold.kind in stored.kinds
        for state in _known(fold, *stored.kinds[fold.kind])
    }
    kinds = {fold.kind: known[fold.kind] if fold.kind in known else fold.start() for fold in folder.kinds}
    running = restored([bar for bar in stored.running if bar])
    rest = (stored.trail, stored.second, stored.depth, stored.versions)
    begun = tuple(kind for kind in kinds if kind not in known)
    return Restored(InstrumentState(stored.cursor, running, kinds, *rest), begun)


def _known(fold: AnyFold, version: int, state: msgspec.Raw) -> list[object]:
    """Return the state of a kind, if this code made it so, or stopped it."""
    if version != fold.version:
        return []
    try:
        return [msgspec.msgpack.decode(state, type=fold.state_type | None)]
    except msgspec.DecodeError:
        return []
