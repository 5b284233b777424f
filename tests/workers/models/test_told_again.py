"""What models told is verified and explained as any signal is."""

import pytest

from db.history import signals
from db.instruments import Listed
from market.signal_ids import SignalId
from market.times import MINUTE
from market.verifications import UNKNOWN_KIND, UNSETTLED, Verification
from tests.workers.market import Market, Writer
from tests.workers.models.days import START
from tests.workers.models.living import (
    LEARNT,
    MINUTES,
    UPSET,
    anomalies,
    applied,
    learnt,
    lived,
    scored,
    traded,
)
from workers.claiming import Claimer
from workers.explaining import explain
from workers.folding import Folder
from workers.kinds.catalogue import KINDS
from workers.models.anomaly import KIND
from workers.verifying import Verifier

pytestmark = pytest.mark.slow

END = MINUTES[-3].bar.end


@pytest.fixture
async def told(market: Market, instrument: Listed, writer: Writer, claimer: Claimer) -> Market:
    await lived(market, writer, claimer, MINUTES[:LEARNT])
    await learnt(market, instrument)
    await lived(market, writer, claimer, MINUTES[LEARNT:])
    await scored(market)
    await applied(market, claimer)
    return market


async def verified(market: Market, from_ts: int = START, to_ts: int = END) -> Verification:
    return await Verifier(market.connection, Folder(KINDS)).verify(market.listed[0], from_ts, to_ts)


async def test_what_models_told_is_verified(told: Market) -> None:
    found = await verified(told)
    assert ((), ()) == (found.differences, found.unverified)
    without = len(await told.connection.fetch("SELECT FROM signals WHERE kind <> 'anomaly' AND ts < $1", END))
    assert found.signals == without + len([ts for ts, _, _ in await anomalies(told) if ts < END])


async def test_an_anomaly_that_stands_otherwise_is_a_difference(told: Market) -> None:
    first, second, *_ = [ts for ts, _, _ in await anomalies(told)]
    await told.connection.execute("UPDATE signals SET strength = 0 WHERE kind = 'anomaly' AND ts = $1", first)
    await told.connection.execute("DELETE FROM signals WHERE kind = 'anomaly' AND ts = $1", second)
    found = await verified(told)
    assert [("signal", KIND, first), ("signal", KIND, second)] == [
        (each.noun, each.about, each.ts) for each in found.differences
    ]


async def test_minutes_that_wait_to_be_scored_are_not_called_wrong(told: Market) -> None:
    await told.connection.execute("DELETE FROM signals WHERE kind = 'anomaly'")
    await told.connection.execute('UPDATE scorings SET "offset" = 0')
    found = await verified(told)
    assert () == found.differences
    assert [(UNSETTLED, KIND, END)] == [(each.reason, each.about, each.to_ts) for each in found.unverified]


async def test_what_a_model_told_that_is_sound_no_more_cannot_be_judged(told: Market) -> None:
    await told.connection.execute(
        "UPDATE trained_models SET blob = set_byte(blob, 999, 1 # get_byte(blob, 999))"
    )
    found = await verified(told)
    assert () == found.differences
    assert (UNKNOWN_KIND, KIND) in {(each.reason, each.about) for each in found.unverified}


async def test_an_anomaly_is_explained_by_its_trades_and_the_scores_before_it(
    told: Market, instrument: Listed
) -> None:
    ts = START + (UPSET[0] + 1) * MINUTE
    of = instrument.instrument
    wanted = SignalId(of.exchange, of.symbol, KIND, 1, ts)
    stored = await signals.named(told.connection, instrument, wanted)
    made = await explain(told.connection, instrument.exchange_id, stored, 10)
    assert made.equals(stored.signal)
    trades = traded(instrument.instrument_id, MINUTES[UPSET[0]])
    assert (trades[-10:], len(trades)) == (made.ticks, made.ticks_total)
    assert [stored.signal.from_ts] == [bar.start for bar in made.bars]
    last = made.measured[-1]
    assert (ts, stored.signal.evidence["score"], "up", stored.signal.direction) == (
        last.ts, last.value, last.phase, last.told
    )  # fmt: skip
    await told.connection.execute("UPDATE trained_models SET sha256 = ''")
    made = await explain(told.connection, instrument.exchange_id, stored, 10)
    assert "not what its hash says" in made.reason
    assert None is made.equals(stored.signal)
