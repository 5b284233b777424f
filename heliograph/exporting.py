"""``heliograph export``: trades, bars, or signals, a file a day and instrument, to be imported again."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from db import exports
from db.connections import connected
from db.instruments import listed
from heliograph.whereabouts import database_url
from ingest.naming import instrument_named
from market.errors import InvalidInputError, UnknownInstrumentError
from market.nearest import suggestion
from workers.exporting import FORMATS, Plan, Written, days

_SESSION: Final = {"idle_in_transaction_session_timeout": "600s"}


class Options(NamedTuple):
    """What to write, and where to; moments in microseconds."""

    noun: str
    exchange: str
    symbols: Sequence[str]
    from_ts: int
    to_ts: int
    format: str
    out: Path
    overwrite: bool
    data_dir: Path | None
    dry_run: bool
    as_json: bool


def export(options: Options) -> None:
    """Write files, and say which."""
    for given, known in ((options.noun, exports.NOUNS), (options.format, FORMATS)):
        if given not in known:
            near = suggestion(given, known)
            message = f"{given!r} is none of {', '.join(known)}{'; ' + near if near else ''}"
            raise InvalidInputError(message)
    instruments = [instrument_named(options.exchange, symbol) for symbol in options.symbols]
    found = asyncio.run(_export(options, [each.key for each in instruments]))
    if options.as_json:
        sys.stdout.write(
            json.dumps([{"file": str(path), "rows": rows} for path, rows in found], indent=2) + "\n"
        )
        return
    for path, rows in found:
        sys.stdout.write(f"{path}: {rows:,} {options.noun}{', not written' if options.dry_run else ''}\n")
    sys.stdout.write(f"{sum(each.rows for each in found):,} {options.noun} in {len(found)} files\n")


async def _export(options: Options, keys: Sequence[str]) -> list[Written]:
    async with connected(database_url(options.data_dir), "heliograph export", _SESSION) as connection:
        plan = Plan(
            noun=options.noun,
            from_ts=options.from_ts,
            to_ts=options.to_ts,
            format=options.format,
            out=options.out,
            overwrite=options.overwrite,
            dry_run=options.dry_run,
        )
        known = {each.instrument.key: each for each in await listed(connection)}
        for key in keys:
            if key not in known:
                message = f"nothing of {key} is stored; `heliograph query instruments` lists what is"
                raise UnknownInstrumentError(message)
        return [written for key in keys async for written in days(connection, known[key], plan)]
