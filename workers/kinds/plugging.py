"""Kinds of signal that other packages bring, by the entry point group ``heliograph.signals``."""

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from market.errors import ConfigurationError, InvalidInputError
from workers.kinds.fold import AnyFold, Input, Memory
from workers.kinds.trying import try_out

GROUP: Final = "heliograph.signals"

_NAME: Final = re.compile("[a-z][a-z0-9_]{0,62}")
_SMALLINT: Final = 32767


def plugged_in(built_in: Sequence[AnyFold]) -> tuple[AnyFold, ...]:
    """Return the kinds that installed packages bring, in the order of their names.

    Raises ConfigurationError, which names the entry point and its package, for what is no kind, or has a
    name that is taken.
    """
    taken = {fold.kind for fold in built_in}
    found = [(_loaded(point), point) for point in entry_points(group=GROUP)]
    for fold, point in found:
        for fault in _faults(fold, taken):
            raise ConfigurationError(_refusal(point, fault))
        taken.add(fold.kind)
    return tuple(sorted([fold for fold, _ in found], key=lambda fold: fold.kind))


def _loaded(point: EntryPoint) -> AnyFold:
    """Return the kind that an entry point names: a class that is called with nothing, or a kind as it is."""
    try:
        named = point.load()
        made: AnyFold = named() if isinstance(named, type) else named
    except Exception as error:
        raise ConfigurationError(_refusal(point, f"{type(error).__name__}: {error}")) from error
    return made


def _faults(fold: Any, taken: set[str]) -> Iterator[str]:  # noqa: ANN401 - whatever a package brings
    needed = ("kind", "version", "parameters", "memory", "input", "state_type", "start", "step")
    lacking = [name for name in needed if not hasattr(fold, name)]
    if lacking:
        yield f"it is no kind of signal: it has no {', '.join(lacking)}"
        return
    if not isinstance(fold.kind, str) or not _NAME.fullmatch(fold.kind):
        yield f"{fold.kind!r} is no name of a kind: small letters, digits, and _ are, a letter first"
    if fold.kind in taken:
        yield f"a kind {fold.kind!r} exists already"
    if not isinstance(fold.version, int) or not 0 < fold.version <= _SMALLINT:
        yield f"its version is {fold.version!r}, not a number from 1 to {_SMALLINT}"
    if not isinstance(fold.input, Input) or not isinstance(fold.memory, Memory):
        yield "its input is no Input, or its memory no Memory, of workers.kinds.fold"
        return
    try:
        try_out(fold)
    except InvalidInputError as error:
        yield str(error)


def _refusal(point: EntryPoint, fault: str) -> str:
    package = f" of {point.dist.name}" if point.dist else ""
    return (
        f"the plug-in {point.name} ({point.value}){package} cannot be used: {fault}; mend it, or uninstall it"
    )
