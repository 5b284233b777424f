"""Every kind of signal that is computed."""

from collections.abc import Mapping
from typing import Final

import msgspec

from market.errors import InvalidInputError
from workers.kinds.flow import Flow
from workers.kinds.fold import AnyFold
from workers.kinds.momentum import Momentum
from workers.kinds.plugging import plugged_in
from workers.kinds.pressure import Pressure
from workers.kinds.reversion import Reversion
from workers.kinds.rsi import Rsi

BUILT_IN: Final[tuple[AnyFold, ...]] = (Momentum(), Rsi(), Reversion(), Flow(), Pressure())
"""The kinds of this package."""

KINDS: Final[tuple[AnyFold, ...]] = (*BUILT_IN, *plugged_in(BUILT_IN))
"""Every kind, also those that other packages plug in, in the order in which they are stepped."""


def made_with(kind: str, version: int, parameters: Mapping[str, float]) -> AnyFold:
    """Return the kind of that name and version, made with these parameters; raises InvalidInputError."""
    fold = next((fold for fold in KINDS if (fold.kind, fold.version) == (kind, version)), None)
    if fold is None:
        computed = ", ".join(f"{fold.kind} {fold.version}" for fold in KINDS)
        message = f"{kind} {version} is not computed here: {computed} are"
        raise InvalidInputError(message, where="kind")
    return changed(fold, parameters)


def changed(fold: AnyFold, parameters: Mapping[str, float]) -> AnyFold:
    """Return the kind with these parameters in place of its own; raises InvalidInputError."""
    unknown = [name for name in parameters if name not in fold.parameters]
    if unknown:
        message = f"{fold.kind} has no parameter {unknown[0]!r}: choose of {', '.join(fold.parameters)}"
        raise InvalidInputError(message, where=unknown[0])
    numbers = {**fold.parameters, **parameters}
    try:
        return _made(type(fold), numbers)
    except (TypeError, ValueError, msgspec.ValidationError) as error:
        message = f"{fold.kind} cannot be made with {dict(parameters)}: {error}"
        raise InvalidInputError(message) from error


def _made(kind: type[AnyFold], numbers: Mapping[str, float]) -> AnyFold:
    if issubclass(kind, msgspec.Struct):
        return msgspec.convert(numbers, kind)
    return kind(**numbers)
