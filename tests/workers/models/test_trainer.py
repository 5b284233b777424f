"""A training is a job of the backfill lane; what passes its check is put to use."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import pytest

from db import chunks, trained_models, trainings
from db.chunks import Lease
from db.connections import connected
from db.feeds import WantedFeed, add
from db.instruments import Listed
from db.logins import BACKFILL, address_of
from db.settings import RetentionSettings
from db.trainings import Training
from market.errors import ModelError, UnpromotedModelError, UntrainableError
from market.minutes import Minute
from market.times import MINUTE
from runtime.clock import now
from tests.workers.models.days import START, generated
from tests.workers.models.history import listed, span, store
from workers.folding import Folder
from workers.housekeeping import Housekeeping
from workers.models.fitting import fitted, fitted_aside
from workers.models.promoting import consider, loaded, promote
from workers.models.trainer import Trainer
from workers.nightly import Nightly
from workers.settings import WorkerSettings

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from db.connections import Connection

STATES = "SELECT version, state FROM trained_models ORDER BY version"
JOBS = "SELECT jobs.state, chunks.state, jobs.detail FROM jobs JOIN chunks USING (job_id) ORDER BY job_id"
DAY_OLD = "UPDATE jobs SET created_at = created_at - interval '1 day 1 minute'"


def housekeeping(url: str, settings: WorkerSettings) -> Housekeeping:
    return Housekeeping(url, settings, now, Nightly(url, Folder(()), now, "test"), RetentionSettings())


@pytest.fixture
async def connection(postgres_url: str) -> AsyncIterator["Connection"]:
    async with connected(postgres_url, "test") as connection:
        yield connection


@pytest.fixture
async def instrument(connection: "Connection") -> Listed:
    return await listed(connection)


async def ask(connection: "Connection") -> int:
    (history,) = await trainings.histories(connection, days=30)
    return await trainings.enqueue(connection, history)


async def asked(connection: "Connection", instrument: Listed, minutes: Sequence[Minute]) -> int:
    await store(connection, instrument, minutes)
    return await ask(connection)


async def states(connection: "Connection") -> list[tuple[int, str]]:
    return [tuple(row) for row in await connection.fetch(STATES)]


async def jobs(connection: "Connection") -> list[tuple[str, str, str]]:
    return [tuple(row) for row in await connection.fetch(JOBS)]


async def leased(connection: "Connection") -> None:
    """Return when a training is."""
    async with asyncio.timeout(30):
        while not await connection.fetchval("SELECT leased_by IS NOT NULL FROM chunks"):
            await connection.execute("SELECT pg_sleep(0.01)")


async def test_a_training_gives_a_model_that_says_what_it_was_made_of(
    postgres_url: str, connection: "Connection", instrument: Listed
) -> None:
    minutes = generated(600)
    job_id = await asked(connection, instrument, minutes)
    assert await Trainer(address_of(postgres_url, BACKFILL)).train(connection)
    (row,) = await trained_models.models(connection)
    assert (job_id, 1, "in use", "isolation-forest/1", 600, *span(minutes)) == (
        row.job_id, row.version, row.state, row.type, row.minutes, row.trained_from, row.trained_to
    )  # fmt: skip
    assert {"separation", "alarms", "drift", "held_out"} == set(row.metrics)
    assert {"scikit-learn", "numpy"} == set(row.libraries)
    assert ["return", "range", "volume", "trades", "imbalance", "spread"] == row.features
    assert row.verdict.startswith("separation 0.9")
    assert tuple(row.features) == (await loaded(connection, row.model_id)).features
    assert [("done", "done", "")] == await jobs(connection)
    assert not await Trainer(address_of(postgres_url, BACKFILL)).train(connection)


async def test_a_process_of_its_own_trains_the_very_same_model() -> None:
    minutes = generated(200)
    assert fitted(minutes) == await fitted_aside(minutes)


async def test_a_model_decides_from_the_newest_final_minute_on(
    postgres_url: str, connection: "Connection", instrument: Listed
) -> None:
    minutes = generated(400)
    await asked(connection, instrument, minutes[:300])
    await store(connection, instrument, minutes[300:])
    await Trainer(address_of(postgres_url, BACKFILL)).train(connection)
    (row,) = await trained_models.models(connection)
    assert (START + 400 * MINUTE, None) == (row.from_ts, row.to_ts)


async def test_a_better_model_takes_over_where_the_one_in_use_ends(
    postgres_url: str, connection: "Connection", instrument: Listed
) -> None:
    minutes = generated(900)
    trainer = Trainer(address_of(postgres_url, BACKFILL))
    for part in (minutes[:300], minutes[300:]):
        await asked(connection, instrument, part)
        await trainer.train(connection)
    older, newer = await trained_models.models(connection)
    assert ["retired", "in use"] == [older.state, newer.state]
    assert START + 900 * MINUTE == older.to_ts == newer.from_ts
    assert (2, 2) == (trainer.totals.models, trainer.totals.promoted)


async def test_a_worse_model_stays_a_candidate_and_says_why(
    postgres_url: str, connection: "Connection", instrument: Listed
) -> None:
    trainer = Trainer(address_of(postgres_url, BACKFILL))
    await asked(connection, instrument, generated(600))
    await trainer.train(connection)
    storms = generated(600, seed=8, upset=range(480, 600), start=START + 600 * MINUTE)
    await store(connection, instrument, storms)
    await trainings.enqueue(connection, (await trainings.histories(connection, days=0.4))[0])
    await trainer.train(connection)
    assert [(1, "in use"), (2, "candidate")] == await states(connection)
    _, worse = await trained_models.models(connection)
    assert worse.verdict
    verdict = await consider(connection, worse)
    assert (False, worse.verdict) == (verdict.passed, verdict.reason)


async def test_only_a_candidate_is_promoted(
    postgres_url: str, connection: "Connection", instrument: Listed
) -> None:
    await asked(connection, instrument, generated(400))
    await Trainer(address_of(postgres_url, BACKFILL)).train(connection)
    (row,) = await trained_models.models(connection)
    with pytest.raises(UnpromotedModelError, match="only a candidate"):
        await promote(connection, row.model_id)


async def test_a_model_in_use_that_was_tampered_with_is_replaced_unheard(
    postgres_url: str, connection: "Connection", instrument: Listed
) -> None:
    trainer = Trainer(address_of(postgres_url, BACKFILL))
    await asked(connection, instrument, generated(400))
    await trainer.train(connection)
    await connection.execute("UPDATE trained_models SET blob = set_byte(blob, 999, 1 # get_byte(blob, 999))")
    await ask(connection)
    await trainer.train(connection)
    assert [(1, "retired"), (2, "in use")] == await states(connection)


async def test_a_tampered_candidate_is_never_promoted(
    postgres_url: str, connection: "Connection", instrument: Listed
) -> None:
    await asked(connection, instrument, generated(400))
    await Trainer(address_of(postgres_url, BACKFILL)).train(connection)
    await connection.execute(
        "UPDATE trained_models SET state = 'candidate', blob = set_byte(blob, 999, 1 # get_byte(blob, 999))"
    )
    (row,) = await trained_models.models(connection)
    with pytest.raises(ModelError, match="its hash is"):
        await promote(connection, row.model_id)
    assert [(1, "candidate")] == await states(connection)


async def test_too_little_history_ends_a_training_with_the_reason(
    postgres_url: str, connection: "Connection", instrument: Listed
) -> None:
    await asked(connection, instrument, generated(30))
    assert await Trainer(address_of(postgres_url, BACKFILL)).train(connection)
    ((job, chunk, detail),) = await jobs(connection)
    assert ("failed", "failed") == (job, chunk)
    assert "30 minutes can be trained on" in detail
    with pytest.raises(UntrainableError):
        await fitted_aside(generated(30))


async def test_a_training_that_breaks_is_tried_again_and_then_given_up(
    postgres_url: str, connection: "Connection", instrument: Listed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    await asked(connection, instrument, generated(200))
    for state in ("waiting", "waiting", "failed"):
        assert await Trainer(address_of(postgres_url, BACKFILL)).train(connection)
        assert not await Trainer(address_of(postgres_url, BACKFILL)).train(connection)
        assert state == (await jobs(connection))[0][1]
        await connection.execute("UPDATE chunks SET due_at = clock_timestamp()")
    assert "training ended with status" in (await jobs(connection))[0][2]


async def test_nothing_is_trained_while_ticks_wait_for_workers(
    postgres_url: str, connection: "Connection", instrument: Listed
) -> None:
    await asked(connection, instrument, generated(200))
    await connection.execute(
        "INSERT INTO batches VALUES (0, 1, 1, 1, '', clock_timestamp() - interval '1 minute')"
    )
    assert not await Trainer(address_of(postgres_url, BACKFILL)).train(connection)


async def test_a_training_is_claimed_once_and_by_others_when_its_lease_is_over(
    connection: "Connection", instrument: Listed
) -> None:
    job_id = await asked(connection, instrument, generated(200))
    first = await trainings.claim(connection, "one", 60)
    assert isinstance(first, Training)
    assert (job_id, 1) == (first.job_id, first.attempts)
    assert None is await trainings.claim(connection, "another", 60)
    await connection.execute("UPDATE chunks SET leased_until = clock_timestamp()")
    again = await trainings.claim(connection, "another", 60)
    assert again is not None
    assert (first.chunk_id, 2) == (again.chunk_id, again.attempts)


async def test_who_fetches_history_leaves_trainings_alone(
    connection: "Connection", instrument: Listed
) -> None:
    await add(connection, [WantedFeed(exchange="kraken", symbol="SOL/USD")])
    await asked(connection, instrument, generated(200))
    assert None is await chunks.claim(connection, Lease("history", 60))
    await connection.execute("UPDATE jobs SET kind = 'recent'")
    assert await chunks.claim(connection, Lease("history", 60))


async def test_a_trainer_that_is_told_to_stop_gives_its_training_back(
    postgres_url: str, connection: "Connection", instrument: Listed
) -> None:
    await asked(connection, instrument, generated(1400))
    stopping = asyncio.Event()
    trainer = Trainer(address_of(postgres_url, BACKFILL))
    running = asyncio.create_task(trainer.run(stopping))
    await leased(connection)
    stopping.set()
    await running
    assert [("waiting", None)] == [
        tuple(row) for row in await connection.fetch("SELECT state, leased_by FROM chunks")
    ]


async def test_the_scheduler_asks_once_a_day_where_there_is_enough_history(
    postgres_url: str, connection: "Connection", instrument: Listed
) -> None:
    scheduler = housekeeping(postgres_url, WorkerSettings(train_least_minutes=200))
    await store(connection, instrument, generated(199))
    await scheduler.ask_for_trainings()
    assert [] == await jobs(connection)
    await store(connection, instrument, generated(200)[199:])
    await scheduler.ask_for_trainings()
    await connection.execute(DAY_OLD)
    await scheduler.ask_for_trainings()
    assert 1 == len(await jobs(connection))
    await Trainer(address_of(postgres_url, BACKFILL)).train(connection)
    for _ in range(2):
        await scheduler.ask_for_trainings()
    assert ["done", "waiting"] == [state for state, _, _ in await jobs(connection)]


async def test_history_is_what_lies_so_many_days_before_the_newest_minute(
    connection: "Connection", instrument: Listed
) -> None:
    await store(connection, instrument, generated(300))
    (history,) = await trainings.histories(connection, days=0.1)
    assert (144, START + 156 * MINUTE, START + 300 * MINUTE) == (
        history.minutes, history.from_ts, history.to_ts
    )  # fmt: skip


async def test_candidates_that_nobody_put_to_use_are_forgotten(
    postgres_url: str, connection: "Connection", instrument: Listed
) -> None:
    trainer = Trainer(address_of(postgres_url, BACKFILL))
    await asked(connection, instrument, generated(300))
    for _ in range(2):
        await trainer.train(connection)
        await ask(connection)
    await connection.execute("UPDATE trained_models SET created_at = created_at - interval '31 days'")
    await connection.execute("UPDATE trained_models SET state = 'candidate' WHERE version = 2")
    await housekeeping(postgres_url, WorkerSettings()).forget()
    assert [(1, "retired")] == await states(connection)
