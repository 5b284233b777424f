"""Trained models at rest: what they were made of, and which one of an instrument decides."""

from typing import TYPE_CHECKING, Any

import msgspec

from db.errors import translated
from db.queries import load
from market.errors import UnknownModelError

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("trained_models")

CANDIDATE, IN_USE, RETIRED = "candidate", "in use", "retired"


class NewModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model to be stored as a candidate; times in microseconds."""

    instrument_id: int
    type: str
    trained_from: int
    trained_to: int
    minutes: int
    features: tuple[str, ...]
    metrics: dict[str, float]
    libraries: dict[str, str]
    code_version: str
    sha256: str
    blob: bytes
    job_id: int | None


class ModelRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stored model, but for its blob; times in microseconds."""

    model_id: int
    instrument_id: int
    exchange: str
    symbol: str
    version: int
    type: str
    state: str
    trained_from: int
    trained_to: int
    minutes: int
    features: list[str]
    metrics: dict[str, float]
    libraries: dict[str, str]
    code_version: str
    sha256: str
    bytes: int
    verdict: str
    from_ts: int | None
    to_ts: int | None
    job_id: int | None
    created_at: int


async def add(connection: "Connection", model: NewModel) -> int:
    """Store a candidate under the next version of its instrument; return its id."""
    with translated("storing a model"):
        model_id: int = await connection.fetchval(
            _sql.add,
            model.instrument_id,
            model.type,
            model.trained_from,
            model.trained_to,
            model.minutes,
            list(model.features),
            msgspec.json.encode(model.metrics).decode(),
            msgspec.json.encode(model.libraries).decode(),
            model.code_version,
            model.sha256,
            model.blob,
            model.job_id,
        )
    return model_id


async def models(connection: "Connection") -> list[ModelRow]:
    """Return every model, by instrument and version."""
    with translated("reading models"):
        return [_row(dict(row)) for row in await connection.fetch(_sql.all_models, None)]


async def model(connection: "Connection", model_id: int) -> ModelRow:
    """Return one model; raises UnknownModelError."""
    with translated("reading a model"):
        row = await connection.fetchrow(_sql.all_models, model_id)
    if row is None:
        message = f"there is no model {model_id}; heliograph models list shows those there are"
        raise UnknownModelError(message, where="model")
    return _row(dict(row))


async def blob(connection: "Connection", model_id: int) -> tuple[bytes, str]:
    """Return the bytes of a model that exists, and the hash that was stored beside them."""
    with translated("reading a model"):
        row = await connection.fetchrow(_sql.blob, model_id)
    assert row is not None  # noqa: S101 - the caller has seen it, and used models are never deleted
    return row["blob"], row["sha256"]


async def in_use(connection: "Connection", instrument_id: int) -> int | None:
    """Return the id of the model that decides for an instrument, if there is one."""
    with translated("reading which model is in use"):
        model_id: int | None = await connection.fetchval(_sql.in_use, instrument_id)
    return model_id


async def lock(connection: "Connection", instrument_id: int) -> None:
    """Have whoever else promotes a model of this instrument wait until the transaction ends."""
    with translated("locking models"):
        await connection.execute(_sql.lock, instrument_id)


async def say(connection: "Connection", model_id: int, verdict: str) -> None:
    """Note what the last check of a model came to."""
    with translated("noting a verdict"):
        await connection.execute(_sql.say, model_id, verdict)


async def put_in_use(connection: "Connection", row: ModelRow) -> bool:
    """Have a candidate decide from the newest final minute on, in place of the one that did.

    Within a transaction that holds the lock. Return whether it was a candidate.
    """
    with translated("promoting a model"):
        edge = await connection.fetchrow(_sql.edge, row.instrument_id)
        assert edge is not None  # noqa: S101 - it has no FROM
        from_ts = row.trained_to if edge["from_ts"] is None else edge["from_ts"]
        await connection.execute(_sql.retire, row.instrument_id, from_ts)
        promoted = await connection.fetchval(_sql.put_in_use, row.model_id, from_ts)
        await connection.execute(_sql.begin_scoring, row.instrument_id, edge["offset"])
    return promoted is not None


async def forget_old(connection: "Connection") -> None:
    """Drop candidates that nobody put to use within a month."""
    with translated("forgetting old candidates"):
        await connection.execute(_sql.forget)


def _row(columns: dict[str, Any]) -> ModelRow:
    decoded = {name: msgspec.json.decode(columns.pop(name)) for name in ("metrics", "libraries")}
    return ModelRow(**columns, **decoded)
