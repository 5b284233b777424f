"""Bars and signals that were exported, put back where they are missing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from db import exports
from db.instruments import register
from ingest.files.importing import PAGE_ROWS, Desk, Source, Tally
from ingest.files.moments import moment
from ingest.files.reading import Counted, Line, opened
from market.errors import InvalidInputError, RefusedTickError
from workers.exporting import COLUMNS

if TYPE_CHECKING:
    from db.connections import Connection

_Values = list[Any]


async def restore(connection: "Connection | None", noun: str, source: Source, desk: Desk) -> Tally:
    """Put back what a file holds and the database lacks, in transactions of some rows each.

    Without a connection everything is read and nothing written.
    """
    tally = Tally()
    with Counted(source.path) as file, opened(file, source.path.name) as rows:
        read = _reader(noun, rows.names or (), source)
        listed = None
        while some := list(islice(rows.lines, PAGE_ROWS)):
            values = list(_values(some, read, source.path.name, desk))
            tally.rows += len(some)
            tally.rejected += len(some) - len(values)
            if connection is not None and values:
                [listed] = [listed] if listed else (await register(connection, [source.instrument])).values()
                columns = list(zip(*values, strict=True))
                tally.stored += await exports.restore(connection, noun, listed.instrument_id, columns)
            desk.tell(file.tell(), tally)
    tally.duplicates = tally.rows - tally.rejected - tally.stored
    return tally


def _values(
    lines: Sequence[Line], read: Callable[[Sequence[str]], _Values], name: str, desk: Desk
) -> Iterator[_Values]:
    for line in lines:
        if line.fields is None:
            desk.rejects.add(name, line.number, line.wrong, line.text)
            continue
        try:
            yield read(line.fields)
        except (ValueError, IndexError, RefusedTickError) as error:
            desk.rejects.add(name, line.number, str(error), line.text)


def _reader(noun: str, names: Sequence[str], source: Source) -> Callable[[Sequence[str]], _Values]:
    """Return what makes values of a row's text; raises InvalidInputError for a file of something else."""
    lacking = {"exchange", "symbol", *COLUMNS[noun]} - set(names)
    if lacking:
        message = f"{source.path.name} is no export of {noun}: it has no {', '.join(sorted(lacking))}"
        raise InvalidInputError(message, where="format")
    parts = [(names.index(name), _PARSERS[type_]) for name, type_ in COLUMNS[noun].items()]
    whose = names.index("exchange"), names.index("symbol")
    wanted = [source.instrument.exchange, source.instrument.symbol]

    def read(fields: Sequence[str]) -> _Values:
        if [fields[place] for place in whose] != wanted:
            message = f"of {' '.join(fields[place] for place in whose)}, which is not asked for"
            raise ValueError(message)
        return [parse(fields[place]) for place, parse in parts]

    return read


def _or_none(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: parse(text) if text else None


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        message = f"{text!r} is neither true nor false"
        raise ValueError(message)
    return text == "true"


_PARSERS: Final[Mapping[pa.DataType, Callable[[str], Any]]] = {
    pa.timestamp("us", tz="UTC"): _or_none(moment),
    pa.string(): str,
    pa.float64(): float,
    pa.bool_(): _boolean,
    **dict.fromkeys((pa.int16(), pa.int32(), pa.int64()), _or_none(int)),
}
