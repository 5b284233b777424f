"""A market that lives for some hours, an upset now and then, and a model that has learnt from its past."""

from collections.abc import Sequence
from typing import Any

from db import minutes, trained_models
from db.instruments import Listed
from db.logins import WORKER, address_of
from db.trained_models import NewModel
from market.minutes import Minute
from market.times import DAY, MINUTE, SECOND
from market.trades import Side, Trade
from market.watermarks import Watermark
from tests.workers.market import Market, Writer, claim_all
from tests.workers.models.days import START, generated
from workers.claiming import Claimer
from workers.models.anomaly import Era, told
from workers.models.fitting import fitted
from workers.models.promoting import loaded
from workers.models.scoring import Scorer
from workers.settings import WorkerSettings

LEARNT = 150
"""Minutes of the past on which the model of these tests is trained."""

UPSET = (190, 200, 215)
MINUTES = generated(260, upset=UPSET, quoted=False)
PUBLISHED = """
SELECT "offset", op, revises, about, ts, data FROM publications WHERE family = 'signals' ORDER BY "offset"
"""
ANOMALIES = "SELECT ts, version, direction FROM signals WHERE kind = 'anomaly' ORDER BY ts"


def traded(instrument_id: int, minute: Minute) -> list[Trade]:
    """Trades that make this minute's bar, or nearly; an eighth as many."""
    bar = minute.bar
    count = max(bar.trades // 8, 4)
    prices = [bar.open, bar.high, bar.low, *[bar.close] * (count - 3)]
    buys = round(count * bar.buy_volume / bar.volume)
    first = (bar.start - START) // MINUTE * 10_000
    return [
        Trade(
            instrument_id,
            bar.start + number * (MINUTE // count),
            first + number,
            price,
            round(bar.volume / count, 6),
            Side.BUY if number < buys else Side.SELL,
            bar.start + number * (MINUTE // count) + 7,
        )
        for number, price in enumerate(prices)
    ]


async def lived(market: Market, writer: Writer, claimer: Claimer, part: Sequence[Minute]) -> None:
    """Store the trades of these minutes, and the time that passed after them, and have them folded."""
    instrument_id = market.ids[0]
    await writer.store([trade for minute in part for trade in traded(instrument_id, minute)])
    await passed(market, writer, claimer, part[-1].bar.end + 3 * SECOND)


async def passed(market: Market, writer: Writer, claimer: Claimer, ts: int) -> None:
    await writer.store(watermarks=[Watermark(market.ids[0], ts, ts)])
    async with market.working() as connection:
        await claim_all(claimer, connection)


async def learnt(market: Market, instrument: Listed) -> int:
    """Train on what is stored, and put the model to use."""
    past = await minutes.read(market.connection, instrument.instrument_id, START, START + DAY)
    made = fitted(past)
    model_id = await trained_models.add(
        market.connection,
        NewModel(
            instrument_id=instrument.instrument_id,
            type=made.type,
            trained_from=START,
            trained_to=past[-1].bar.end,
            minutes=len(past),
            features=made.features,
            metrics=made.metrics,
            libraries=dict(made.libraries),
            code_version="test",
            sha256=made.sha256,
            blob=made.blob,
            job_id=None,
        ),
    )
    async with market.connection.transaction():
        await trained_models.put_in_use(
            market.connection, await trained_models.model(market.connection, model_id)
        )
    return model_id


async def scored(market: Market, at_once: int = 256) -> Scorer:
    scorer = Scorer(address_of(market.url, WORKER), WorkerSettings(), at_once)
    async with market.working() as connection:
        while await scorer.score(connection):
            pass
    return scorer


async def applied(market: Market, claimer: Claimer) -> int:
    """Have a live worker apply everything that is staged; return how much that was."""
    count = 0
    async with market.working() as connection:
        while await claimer.apply(connection, 1):
            count += 1
    return count


async def anomalies(market: Market) -> list[tuple[int, int, str]]:
    return [tuple(row) for row in await market.connection.fetch(ANOMALIES)]


async def published(market: Market) -> list[dict[str, Any]]:
    rows = await market.connection.fetch(PUBLISHED)
    return [dict(row) for row in rows if row["about"] == "anomaly"]


async def expected(market: Market, model_id: int, version: int = 1) -> list[tuple[int, int, str]]:
    """What the model tells of all that is stored, in one go."""
    model = await loaded(market.connection, model_id)
    row = await trained_models.model(market.connection, model_id)
    assert row.from_ts is not None
    everything = await minutes.read(market.connection, market.ids[0], START, START + DAY)
    return [
        (signal.ts, signal.version, signal.direction.value)
        for signal in told(Era(version, row.from_ts, row.to_ts, model), everything)
    ]
