"""The formats of files that there are."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from ingest.files import binance_vision, generic, kraken_csv, tardis
from ingest.files.layouts import Layout
from market.errors import InvalidInputError
from market.instruments import Instrument
from market.nearest import suggestion

LayoutOf = Callable[[Sequence[str] | None, Sequence[str], Instrument], Layout]
"""Makes a layout of the names of a file's columns, if it has them, its first row, and what it is of."""

_LAYOUTS: Final[Mapping[str, LayoutOf]] = {
    "binance-vision": binance_vision.layout,
    "tardis": tardis.layout,
    "kraken-csv": kraken_csv.layout,
}
GENERIC: Final = "generic"
NAMES: Final = (*_LAYOUTS, GENERIC)
"""Of files of trades."""


def layout_of(name: str, columns: str = "") -> LayoutOf:
    """Return a format; ``columns`` is the mapping of the generic one. Raises InvalidInputError."""
    if name == GENERIC:
        return partial(generic.layout, mapping=generic.mapping(columns))
    if name not in _LAYOUTS:
        near = suggestion(name, NAMES)
        message = f"no format {name!r}; there are {', '.join(NAMES)}{'; ' + near if near else ''}"
        raise InvalidInputError(message, where="format")
    if columns:
        message = f"--columns is for --format {GENERIC}: {name} says itself which column is which"
        raise InvalidInputError(message, where="columns")
    return _LAYOUTS[name]
