"""The command ``heliograph query``."""

from pathlib import Path
from typing import Annotated

import typer

from heliograph import checks


def query(  # noqa: PLR0913 - these are its options
    *,
    noun: Annotated[str, typer.Argument(metavar="NOUN", callback=checks.noun, help="Like bars.")],
    exchange: Annotated[str | None, typer.Argument(metavar="[EXCHANGE]", help="Like kraken.")] = None,
    symbol: Annotated[str | None, typer.Argument(metavar="[SYMBOL]", help="Like SOL/USD.")] = None,
    last: Annotated[
        str | None, typer.Option(metavar="LENGTH", help="Only the last 90s, 15m, 6h, 1d, 2w.")
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="MOMENT", help="Only from here on.")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="MOMENT", help="Only what is before.")] = None,
    interval: Annotated[str, typer.Option(help="Of bars: 1s, 1m, 5m, 1h, or 1d.")] = "1m",
    kind: Annotated[
        list[str] | None, typer.Option(help="Only signals or indicators of this kind; repeatable.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Rows, at most.")] = None,
    newest_first: Annotated[bool, typer.Option("--newest-first", help="Begin with the newest.")] = False,
    url: Annotated[
        str | None,
        typer.Option(callback=checks.address, help="Address of the API. Left out: as --data-dir says."),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of a stack that runs. Left out: as the environment says.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON a row.")] = False,
) -> None:
    """Print history: bars, trades, quotes, signals, indicators, gaps, or instruments."""
    from heliograph import querying

    what = querying.Noun(noun)
    part = (interval, kind or [], from_, to, last, newest_first, limit)
    querying.query(querying.Asked(what, exchange, symbol, *part), url, data_dir, as_json=as_json)
