"""Files of anybody's, whose columns are named, and those that ``heliograph export`` writes."""

from collections.abc import Mapping, Sequence
from typing import Final

from ingest.files.binance_vision import AGGREGATED, demand_single
from ingest.files.layouts import Columns, Layout, named
from market.errors import InvalidInputError
from market.instruments import Instrument
from market.nearest import suggestion

FIELDS: Final = (
    "ts",
    "price",
    "size",
    "trade_id",
    "side",
    "buyer_made",
    "exchange",
    "symbol",
    "received_at",
)
"""What a column can be: also its name in a file where nothing else is said."""

_FREQTRADE: Final = {"timestamp", "id", "type", "side", "price", "amount", "cost"}
"""The columns of freqtrade's files; of Binance they hold aggregates."""


def layout(
    names: Sequence[str] | None,
    first: Sequence[str],
    instrument: Instrument,
    mapping: Mapping[str, str] | None = None,
) -> Layout:
    """Return the layout that a mapping says: names, or numbers from 1, by what they are."""
    wanted = {**dict(zip(FIELDS, FIELDS, strict=True)), **(mapping or {})}
    if names is None:
        return Layout(_numbered(mapping or {}, len(first)), instrument)
    demand_single(names)
    if instrument.exchange == "binance" and set(names) == _FREQTRADE:
        raise InvalidInputError(AGGREGATED, where="file")
    for what, name in (mapping or {}).items():
        if name.lower() not in {each.strip().lower() for each in names}:
            message = f"the file has no column {name!r} for {what}; it has {', '.join(names)}"
            raise InvalidInputError(message, where="columns")
    return Layout(named(names, wanted), instrument)


def mapping(text: str) -> dict[str, str]:
    """Return what ``ts=time,price=px`` says; raises InvalidInputError."""
    found = {}
    for part in filter(None, text.split(",")):
        what, equals, name = part.partition("=")
        if what.strip() not in FIELDS or not equals or not name.strip():
            near = suggestion(what.strip(), FIELDS)
            message = (
                f"--columns {part!r} is not WHAT=NAME, with WHAT one of {', '.join(FIELDS)}"
                f"{'; ' + near if near else ''}"
            )
            raise InvalidInputError(message, where="columns")
        found[what.strip()] = name.strip()
    return found


def _numbered(mapping: Mapping[str, str], width: int) -> Columns:
    places = {what: int(name) - 1 for what, name in mapping.items() if name.isdecimal()}
    lacking = {"ts", "price", "size"} - places.keys()
    if lacking or len(places) < len(mapping) or not all(0 <= place < width for place in places.values()):
        message = (
            f"the file begins without names of its {width} columns: say which is which by number, "
            "like --columns ts=1,price=2,size=3"
        )
        raise InvalidInputError(message, where="columns")
    return Columns(**places, width=width)
