"""Parameters that are chosen while everything runs."""

import msgspec
import pytest

from db import instruments, parameters
from db.history import signals
from db.history.windows import Window
from heliograph.parameters import Wanted, chosen_in
from market.errors import HeliographError
from market.times import MINUTE, SECOND, floor
from market.trades import Trade
from tests.workers.market import BEGAN, Market, Writer, claim_all, content, settle, tape
from workers.claiming import Claimer
from workers.explaining import explain
from workers.folding import Folder
from workers.kinds.catalogue import KINDS
from workers.verifying import Verifier

pytestmark = pytest.mark.slow

NUMBERS = ("period=7", "oversold=40", "leave_oversold=45", "leave_overbought=55", "overbought=60")
CHOSEN_FROM = BEGAN + 5 * MINUTE


async def choose(market: Market, symbol: str, from_ts: int | None = CHOSEN_FROM, at: int = BEGAN) -> bool:
    wanted = Wanted("binance", symbol, "rsi", NUMBERS, from_ts)
    async with market.connection.transaction():
        return (await chosen_in(market.connection, wanted, at)).again


def claimer_of(folder: Folder) -> Claimer:
    return Claimer(folder, lambda: BEGAN, "test")


async def store(writer: Writer, trades: list[Trade]) -> None:
    for start in range(0, len(trades), 700):
        await writer.store(trades[start : start + 700])


async def test_a_worker_that_runs_follows_what_is_chosen(market: Market) -> None:
    trades, folder = tape(market.ids[0], 14_000), Folder(KINDS)
    async with market.writing() as writer, market.working() as connection:
        claimer = claimer_of(folder)
        await store(writer, [trade for trade in trades if trade.ts < CHOSEN_FROM])
        await claim_all(claimer, connection)
        assert not await choose(market, "BTC/USDT")
        await store(writer, [trade for trade in trades if trade.ts >= CHOSEN_FROM])
        await claim_all(claimer, connection)
        found = await signals.read(
            connection,
            Window(limit=999),
            instrument_ids=market.ids[:1],
            filters=signals.Filters(kinds=["rsi"]),
        )
        [listed] = [
            each for each in await instruments.listed(connection) if each.instrument_id in market.ids[:1]
        ]
        assert {0, 1} == {each.signal.parameters_version for each in found}
        for each in found:
            assert (each.signal.parameters_version == 1) == (each.signal.ts >= CHOSEN_FROM)
            assert (await explain(connection, listed.exchange_id, each, 1)).equals(each.signal)
        verified = await Verifier(connection, Folder(KINDS)).verify(listed, BEGAN, trades[-1].ts - MINUTE)
    assert verified.signals > 0
    assert verified.differences == ()


async def test_what_is_chosen_for_the_past_is_as_if_it_had_always_been(market: Market) -> None:
    own, folder = tape(market.ids[0], 14_000), Folder(KINDS)
    twin = [msgspec.structs.replace(trade, instrument_id=market.ids[1]) for trade in own]
    async with market.writing() as writer, market.working() as connection:
        claimer = claimer_of(folder)
        await choose(market, "ETH/USDT")
        await store(writer, own)
        await store(writer, twin)
        await claim_all(claimer, connection)
        assert await choose(market, "BTC/USDT", at=own[-1].ts)
        await settle(market, claimer, connection, folder)
        await store(writer, [later(own[-1]), later(twin[-1])])
        await settle(market, claimer, connection, folder)
    one, other = [await content(market, each) for each in market.ids[:2]]
    assert 1 in [each["parameters_version"] for each in one["signals"]]
    assert other == one


def later(trade: Trade) -> Trade:
    return msgspec.structs.replace(trade, ts=floor(trade.ts, SECOND) + SECOND, trade_id=trade.trade_id + 1)


async def test_what_is_not_said_stays_as_it_was_and_a_reset_brings_back_the_own(market: Market) -> None:
    await choose(market, "BTC/USDT")
    async with market.connection.transaction():
        more = Wanted("binance", "BTC/USDT", "rsi", ["period=9"], CHOSEN_FROM + 1)
        await chosen_in(market.connection, more, BEGAN)
        await chosen_in(market.connection, more._replace(numbers=[], from_ts=CHOSEN_FROM + 2), BEGAN)
    first, second, third = await parameters.chosen(market.connection)
    assert {**first.numbers, "period": 9} == second.numbers
    assert [1, 2, 3] == [each.version for each in (first, second, third)]
    assert dict(next(fold.parameters for fold in KINDS if fold.kind == "rsi")) == third.numbers


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (Wanted("binance", "BTC/USDT", "rsy", ["period=9"], None), "did you mean rsi"),
        (Wanted("binance", "BTC/USD", "rsi", ["period=9"], None), "no instrument binance:BTC/USD is listed"),
        (Wanted("binance", "BTC/USDT", "rsi", ["period"], None), "'period' is not NAME=NUMBER"),
        (Wanted("binance", "BTC/USDT", "rsi", ["perid=9"], None), "rsi has no parameter 'perid'"),
        (Wanted("binance", "BTC/USDT", "rsi", ["period=0"], None), "rsi cannot be computed with period=0"),
    ],
    ids=lambda each: None if isinstance(each, str) else each.kind + "".join(each.numbers),
)
async def test_mistakes_are_sentences(market: Market, wanted: Wanted, why: str) -> None:
    with pytest.raises(HeliographError) as refused:
        async with market.connection.transaction():
            await chosen_in(market.connection, wanted, BEGAN)
    assert why in str(refused.value)
