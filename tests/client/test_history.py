"""History, asked of a running API."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from heliograph_client import (
    Bar,
    Client,
    Indicator,
    InvalidQuestionError,
    RefusedError,
    Signal,
    UnreachableError,
)
from market.times import from_datetime
from tests.api.peers import FAR_AWAY, Served, Worker
from tests.api.ticks import add_depths, add_quotes, unpartitioned
from tests.client.conftest import TRADES
from tests.client.telling import T
from tests.workers.market import BEGAN, tape

SOL = ("kraken", "SOL/USD")


@pytest.mark.usefixtures("folded")
async def test_every_trade_comes_once_in_order_over_many_pages(client: Client) -> None:
    trades = [trade async for trade in client.trades(*SOL)]
    expected = sorted(tape(1, TRADES), key=lambda trade: (trade.ts, trade.trade_id))
    assert [(each.ts, str(each.trade_id), each.price, each.size) for each in expected] == [
        (from_datetime(each.ts), each.trade_id, each.price, each.size) for each in trades
    ]
    assert {"buy", "sell"} == {trade.side for trade in trades}


@pytest.mark.usefixtures("folded")
async def test_both_faces_give_the_same(client: Client) -> None:
    bars = client.bars(*SOL, "1s")
    assert [bar async for bar in bars] == await asyncio.to_thread(list, bars)
    assert await bars.acolumns() == await asyncio.to_thread(bars.columns)


@pytest.mark.usefixtures("folded")
async def test_a_limit_is_of_rows_in_all_and_newest_first_begins_at_the_end(client: Client) -> None:
    every = [trade async for trade in client.trades(*SOL)]
    for limit in (0, 1, 999, 1000, 1001, 2500):
        assert every[:limit] == [trade async for trade in client.trades(*SOL, limit=limit)]
    newest = client.trades(*SOL, limit=1500, newest_first=True)
    assert every[:-1501:-1] == [trade async for trade in newest]


@pytest.mark.usefixtures("folded")
async def test_a_range_is_half_open_however_it_is_said(client: Client) -> None:
    every = [bar async for bar in client.bars(*SOL, "1s")]
    since, until = every[10].start, every[20].start
    micros = from_datetime(since), from_datetime(until)
    naive = since.replace(tzinfo=None), until.replace(tzinfo=None)
    elsewhere = (until.isoformat().replace("+00:00", "Z"),)
    for one, other in ((since, until), micros, naive, (since.isoformat(), *elsewhere)):
        bars = client.bars(*SOL, "1s", since=one, until=other)
        assert every[10:20] == [bar async for bar in bars]


@pytest.mark.usefixtures("folded")
async def test_last_counts_back_from_now(client: Client) -> None:
    assert [] == [bar async for bar in client.bars(*SOL, last="1d")]
    past = datetime.now(UTC) - datetime.fromtimestamp(BEGAN / 1e6, UTC) + timedelta(days=1)
    assert [bar async for bar in client.bars(*SOL)] == [bar async for bar in client.bars(*SOL, last=past)]


@pytest.mark.slow
@pytest.mark.usefixtures("signalled")
async def test_columns_are_equally_long_and_hold_the_fields_of_fields(client: Client) -> None:
    columns = await client.signals(*SOL).acolumns()
    [rows] = {len(column) for column in columns.values()}
    assert rows > 0
    assert {"ts", "kind", "evidence.rsi", "first.ts", "latency_ms.venue_to_received"} <= columns.keys()
    assert not {"evidence", "first", "latency_ms"} & columns.keys()
    assert all(ts.tzinfo is UTC for ts in columns["ts"])
    of_rsi = [kind == "rsi" for kind in columns["kind"]]
    assert of_rsi == [value is not None for value in columns["evidence.rsi"]]


async def test_nothing_gives_columns_all_the_same(client: Client, worker: Worker) -> None:
    await worker.instruments("SOL/USD")
    assert {name: [] for name in Bar.__struct_fields__} == await client.bars(*SOL).acolumns()


@pytest.mark.slow
@pytest.mark.usefixtures("signalled")
async def test_signals_and_indicators_are_those_of_a_kind(client: Client) -> None:
    signals = [signal async for signal in client.signals(*SOL, kinds=["rsi", "momentum"])]
    indicators = [each async for each in client.indicators("kraken", kinds=["rsi"])]
    assert {"rsi", "momentum"} == {signal.kind for signal in signals}
    assert {"rsi"} == {each.kind for each in indicators}
    assert isinstance(signals[0], Signal)
    assert isinstance(indicators[0], Indicator)


@pytest.mark.usefixtures("folded")
async def test_what_is_listed_missing_and_proven_is_told(client: Client) -> None:
    [sol] = [each async for each in client.instruments("kraken")]
    assert ("SOL", "USD", "spot") == (sol.base, sol.quote, sol.market)
    assert [] == [gap async for gap in client.gaps("kraken", states=["open"])]
    covered = await client.coverage(*SOL, since="2024-08-08", until="2024-08-09")
    assert (0.0, 1, 0) == (covered.share, len(covered.unproven), len(covered.proven))
    assert covered == await asyncio.to_thread(
        client.coverage(*SOL, since="2024-08-08", until="2024-08-09").get
    )


async def test_quotes_and_depths_are_read(client: Client, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await unpartitioned(worker.connection)
    await add_quotes(worker.connection, sol, (T, 7))
    await add_depths(worker.connection, sol, (T, 8))
    [quote] = [each async for each in client.quotes("kraken", "SOL/*")]
    [depth] = [each async for each in client.depth(*SOL)]
    assert (10.5, 2.0, None, "7") == (quote.bid_price, quote.bid_size, quote.ask_size, quote.update_id)
    assert ([(10.5, 2.0), (10.0, 1e-8)], [(10.75, 3.0)]) == (depth.bids, depth.asks)


async def test_texts_are_rows_as_they_came(folded: Served, client: Client) -> None:
    answer = await folded.http.get("/v1/bars?exchange=kraken&symbol=SOL/USD&interval=1m")
    texts = await asyncio.to_thread(list, client.bars(*SOL).texts())
    assert answer.text.startswith(f'{{"data":[{",".join(texts)}],')


async def test_what_is_refused_says_why_and_what_to_do(client: Client) -> None:
    with pytest.raises(RefusedError, match=r"404 No such instrument: .*NO/PE.* Take one of") as refused:
        [bar async for bar in client.bars("kraken", "NO/PE")]
    assert 404 == refused.value.status


async def test_nobody_at_the_address_is_said_after_some_tries() -> None:
    nobody = Client(FAR_AWAY.replace("redis", "http").removesuffix("/0"), tries=2)
    with pytest.raises(UnreachableError, match=r"nothing answers at http://127\.0\.0\.1:1: "):
        [each async for each in nobody.instruments()]


def test_questions_that_make_no_sense_are_not_asked() -> None:
    client = Client()
    with pytest.raises(InvalidQuestionError, match="'1 day' is no length of time"):
        client.bars(*SOL, last="1 day")
    with pytest.raises(InvalidQuestionError, match="give one of them"):
        client.bars(*SOL, last="1d", since="2024-08-08")
    with pytest.raises(InvalidQuestionError, match="name a channel"):
        client.stream()
    for address in ("127.0.0.1:8000", "ftp://x", "http://", "http://x:port"):
        with pytest.raises(InvalidQuestionError, match="is no address of an API"):
            Client(address)
