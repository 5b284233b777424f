"""``heliograph models``: what was trained, and what is to be."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec
import typer

from db import trained_models, trainings
from db.trained_models import ModelRow
from db.trainings import History
from heliograph.changing import changing
from heliograph.tables import print_table
from market.errors import UnknownInstrumentError, UntrustedModelError
from market.times import to_iso
from runtime import logs
from runtime.settings import RuntimeSettings
from workers.models import promoting
from workers.models.judging import Verdict
from workers.models.training import LEAST_MINUTES
from workers.settings import WorkerSettings

if TYPE_CHECKING:
    from db.connections import Connection

_Answer = TypeVar("_Answer")
_COLUMNS = ("model", "instrument", "version", "state", "trained to", "minutes", "separation", "verdict")
_TIMES = ("trained_from", "trained_to", "from_ts", "to_ts", "created_at")


class Options(NamedTuple):
    """What every verb can be told."""

    data_dir: Path | None
    as_json: bool
    dry_run: bool = False


def show_all(options: Options) -> None:
    """Print every model."""
    rows = _asked(options, trained_models.models)
    if options.as_json:
        _print_json([fields(row) for row in rows])
    elif rows:
        print_table([_COLUMNS, *map(_cells, rows)])
    else:
        sys.stdout.write("there are no models; train one: heliograph models train\n")


def show(model_id: int, options: Options) -> None:
    """Print one model, and whether its blob is what its hash says."""
    row, refusal = _asked(options, lambda connection: _inspected(connection, model_id))
    told = {**fields(row), "sound": refusal is None}
    if options.as_json:
        _print_json(told)
        return
    for name, value in told.items():
        sys.stdout.write(f"{name:<13} {_plain(value)}\n")
    if refusal:
        sys.stdout.write(f"{refusal}\n")


def train(names: Sequence[str], days: float | None, options: Options) -> None:
    """Ask for trainings, and say of what; raises UnknownInstrumentError."""
    histories = _asked(options, lambda connection: _trained(connection, names, days, options))
    if options.as_json:
        _print_json([_asked_for(history, job_id) for history, job_id in histories])
        return
    for history, job_id in histories:
        sys.stdout.write(f"{_told(history, job_id, options)}\n")
    if not histories:
        sys.stdout.write(f"no instrument has {LEAST_MINUTES} minutes with trades yet\n")


def promote(model_id: int, options: Options) -> None:
    """Promote a model that passes; exit with 1 when it does not."""
    verdict = _asked(options, lambda connection: _promoted(connection, model_id, options))
    if options.as_json:
        _print_json({"model_id": model_id, **msgspec.to_builtins(verdict)})
    else:
        what = ("would be " if options.dry_run else "is ") + ("promoted" if verdict.passed else "refused")
        sys.stdout.write(f"model {model_id} {what}: {verdict.reason}\n")
    raise typer.Exit(0 if verdict.passed else 1)


def fields(row: ModelRow) -> dict[str, Any]:
    """Return a model as JSON has it."""
    told: dict[str, Any] = msgspec.to_builtins(row)
    return {
        name: to_iso(value) if name in _TIMES and value is not None else value for name, value in told.items()
    }


def _asked(options: Options, ask: Callable[["Connection"], Awaitable[_Answer]]) -> _Answer:
    logs.configure(RuntimeSettings().model_copy(update={"log_level": "warning"}))

    async def answer() -> _Answer:
        async with changing(options.data_dir, "models") as connection:
            return await ask(connection)

    return asyncio.run(answer())


async def _inspected(connection: "Connection", model_id: int) -> tuple[ModelRow, str | None]:
    row = await trained_models.model(connection, model_id)
    try:
        await promoting.loaded(connection, model_id)
    except UntrustedModelError as error:
        return row, str(error)
    return row, None


async def _trained(
    connection: "Connection", names: Sequence[str], days: float | None, options: Options
) -> list[tuple[History, int | None]]:
    histories = await trainings.histories(connection, days or WorkerSettings().train_days)
    wanted = _named(histories, names) if names else [h for h in histories if h.minutes >= LEAST_MINUTES]
    asked: list[tuple[History, int | None]] = []
    for history in wanted:
        job_id = None if options.dry_run or history.waits else await trainings.enqueue(connection, history)
        asked.append((history, job_id))
    return asked


def _named(histories: Sequence[History], names: Sequence[str]) -> list[History]:
    known = {f"{history.exchange}:{history.symbol}": history for history in histories}
    unknown = [name for name in names if name not in known]
    if unknown:
        message = f"{', '.join(unknown)} has no bars of one minute; known are {', '.join(known) or 'none'}"
        raise UnknownInstrumentError(message, where="instruments")
    return [known[name] for name in dict.fromkeys(names)]


async def _promoted(connection: "Connection", model_id: int, options: Options) -> Verdict:
    if options.dry_run:
        return await promoting.consider(connection, await trained_models.model(connection, model_id))
    return await promoting.promote(connection, model_id)


def _told(history: History, job_id: int | None, options: Options) -> str:
    span = f"{history.minutes:,} minutes from {to_iso(history.from_ts)} to {to_iso(history.to_ts)}"
    would = "would be asked for" if options.dry_run else f"asked for: job {job_id}"
    state = "waits already" if history.waits else would
    return f"{history.exchange}:{history.symbol} {state}, {span}"


def _asked_for(history: History, job_id: int | None) -> dict[str, Any]:
    return {
        "exchange": history.exchange,
        "symbol": history.symbol,
        "job_id": job_id,
        "waits": history.waits,
        "minutes": history.minutes,
        "from": to_iso(history.from_ts),
        "to": to_iso(history.to_ts),
    }


def _cells(row: ModelRow) -> tuple[str, ...]:
    name = f"{row.exchange}:{row.symbol}"
    separation = f"{row.metrics['separation']:.3f}"
    trained_to, count = to_iso(row.trained_to), f"{row.minutes:,}"
    return (str(row.model_id), name, str(row.version), row.state, trained_to, count, separation, row.verdict)


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return ", ".join(value) if isinstance(value, list) else "-" if value is None else str(value)


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
