"""The page in a real browser, without a window."""

import os
import re
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from api.settings import ApiSettings
from db.outcomes import bar_columns
from market.bars import Bar
from market.channels import Family
from market.gaps import DEPTHS, Cause, GapState
from market.publications import Latest, Publication
from market.signals import Delivery, Direction, Signal
from market.texts import Name, bar_text, gap_change, signal_text
from market.times import SECOND
from runtime.clock import now
from tests.api.holes import close, find, prove
from tests.api.peers import Served, Worker, serving

pytestmark = pytest.mark.slow

T = 1_733_270_400 * SECOND
SOL = Name("kraken", "SOL/USD")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("no Chromium in PATH: install Debian's package chromium")
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=sandbox)
        yield browser
        await browser.close()


@pytest.fixture(params=[(1360, 800), (390, 844)], ids=["desktop", "phone"])
async def page(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    width, height = request.param
    page = await browser.new_page(viewport={"width": width, "height": height})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield page
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert ([], True) == ([each for each in complaints if "net::" not in each], wide <= 0)


@pytest.fixture
async def simulated(postgres_url: str, redis_url: str) -> AsyncIterator[Served]:
    settings = ApiSettings(port=0, simulated=True)
    async with serving(settings, postgres_url, redis_url) as served:
        yield served


def signal(kind: str) -> str:
    decided = Signal(
        kind=kind,
        version=1,
        ts=T,
        direction=Direction.UP,
        strength=0.5,
        confidence=1.0,
        price=241.07,
        evidence={"rsi": 71.25},
        from_ts=T - SECOND,
        to_ts=T,
    )
    return signal_text(SOL, decided, Delivery(1.0, T, T + 12_000, "test"))


async def add_bar(worker: Worker, instrument_id: int, bar: Bar) -> None:
    await worker.connection.execute(
        "INSERT INTO bars VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'live')",
        *(column[0] for column in bar_columns([(instrument_id, bar)])),
    )


async def publish(worker: Worker, instrument_id: int, family: Family, offset: int, data: str) -> None:
    publication = Publication(instrument_id, family, offset, family[:-1], data, now())
    await worker.connection.execute(
        "INSERT INTO publications VALUES ($1, $2, $3, $4, NULL, 'rsi', $6, $5, $6)",
        instrument_id,
        family,
        offset,
        publication.op,
        data,
        publication.committed_at,
    )
    await worker.bus.publish([publication])


async def test_a_signal_arrives_on_the_page(simulated: Served, worker: Worker, page: Page) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await page.goto(simulated.url)
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    await expect(page.locator("#simulated")).to_be_visible()
    await expect(page.locator("#empty")).to_be_visible()
    bar = Bar(SECOND, T, 241.0, 241.5, 240.5, 241.1, 10, 2411, 6, 4, 3)
    await add_bar(worker, sol.instrument_id, bar)
    await publish(worker, sol.instrument_id, Family.BARS, 1, bar_text(SOL, bar, 1.0, "live"))
    await publish(worker, sol.instrument_id, Family.SIGNALS, 1, signal("momentum"))
    shown = page.locator("#signals li")
    await expect(shown).to_have_count(1)
    await expect(shown).to_have_attribute("data-direction", "up")
    await expect(shown).to_contain_text("momentum")
    await expect(shown).to_contain_text("241.07")
    await expect(shown).to_contain_text("12 ms")
    await expect(page.locator("#empty")).to_be_hidden()
    await expect(page.locator("#legend")).to_contain_text("C 241.1")
    trade = (
        '{"exchange":"kraken","symbol":"SOL/USD","ts":"2024-12-04T00:00:00.000000Z","trade_id":"1","price":242.5,'
        '"size":1.0,"side":"buy","received_at":"2024-12-04T00:00:00.042000Z"}'
    )
    await worker.bus.latest([Latest(sol.instrument_id, Family.TRADES, T, 1, 1, trade)])
    await expect(page.locator("#price")).to_have_text("242.5")
    await expect(page.locator("#venue-lag")).to_have_text("42 ms")


async def test_the_page_says_of_what_kind_ended_and_that_ticks_are_recorded(
    postgres_url: str, redis_url: str, worker: Worker, page: Page
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    bar = Bar(SECOND, T - SECOND, 241.0, 241.5, 240.5, 241.1, 10, 2411, 6, 4, 3)
    await add_bar(worker, sol.instrument_id, bar)
    async with serving(ApiSettings(port=0, simulated=True, recorded=True), postgres_url, redis_url) as served:
        await page.goto(served.url)
        await expect(page.locator("#recorded")).to_be_visible()
        await expect(page.locator("#simulated")).to_be_hidden()
        await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
        ended = signal("momentum").replace('"up"', '"ended"')
        await publish(worker, sol.instrument_id, Family.SIGNALS, 1, ended)
        await expect(page.locator("#legend")).to_contain_text("○ momentum ended")


async def test_a_gap_appears_on_the_page_and_goes_when_it_heals(
    simulated: Served, worker: Worker, page: Page
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await prove(worker.connection, sol, 0, 60)
    for offset, at in enumerate([*range(20), *range(24, 40)], 1):
        price = 241.0 + at % 5 / 10
        bar = Bar(SECOND, T + at * SECOND, price, price + 0.2, price - 0.2, price + 0.1, 10, 2411, 6, 4, 3)
        await add_bar(worker, sol.instrument_id, bar)
        await publish(worker, sol.instrument_id, Family.BARS, offset, bar_text(SOL, bar, 1.0, "live"))
    await page.goto(simulated.url)
    await expect(page.locator("#legend")).to_contain_text("coverage 100 %")
    await expect(page.locator("#gaps")).to_be_hidden()
    gap = await find(worker.connection, sol, 20, 24)
    await worker.bus.latest([gap_change(SOL, gap, gap.opened_at)])
    shown = page.locator("#gaps li")
    await expect(shown).to_have_attribute("data-state", "open")
    await expect(shown).to_contain_text("no trades")
    await expect(shown).to_contain_text("4.0 s")
    await expect(page.locator("#chart")).to_have_attribute("aria-label", re.compile("one gap hatched"))
    await expect(page.locator("#legend")).to_contain_text("coverage 90.0 %")
    closed = await close(worker.connection, gap)
    await worker.bus.latest([gap_change(SOL, closed, now())])
    await expect(shown).to_have_attribute("data-state", "closed")
    await expect(page.locator("#chart")).not_to_have_attribute("aria-label", re.compile("gap"))
    await expect(page.locator("#legend")).to_contain_text("coverage 100 %")
    await expect(page.locator("#gaps")).to_be_hidden(timeout=20_000)


async def test_the_page_knows_the_gaps_from_before_it_came(
    simulated: Served, worker: Worker, page: Page
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await find(worker.connection, sol, 1, 2)
    await find(worker.connection, sol, 3, 4, kind=DEPTHS, cause=Cause.BOOK, state=GapState.UNRECOVERABLE)
    await close(worker.connection, await find(worker.connection, sol, 5, 6))
    await page.goto(simulated.url)
    await expect(page.locator("#gaps li")).to_have_count(2)
    await expect(page.locator("#gaps li").nth(0)).to_contain_text("open")
    await expect(page.locator("#gaps li").nth(1)).to_contain_text("no book")


async def test_no_line_is_drawn_through_an_outage(simulated: Served, page: Page) -> None:
    await page.goto(simulated.url)
    found = await page.evaluate("""async () => {
        const { crosses, parts } = await import("/web/hatching.js");
        const spans = [{ from: 10, to: 20 }, { from: 15, to: 30 }, { from: 40, to: 50 }];
        const lines = [[9, 11], [19, 35], [29, 31], [0, 10], [30, 40]];
        return [lines.map(([from, to]) => crosses(spans, from, to)),
                parts(spans, 0, 60), parts(spans, 12, 45), parts([], 0, 60)];
    }""")
    assert [
        [True, True, True, False, False],
        [[0, 10], [30, 40], [50, 60]],
        [[30, 40]],
        [[0, 60]],
    ] == found


async def test_the_page_comes_back_and_has_missed_nothing(
    postgres_url: str, redis_url: str, worker: Worker, browser: Browser
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    page = await browser.new_page()
    async with serving(ApiSettings(port=0), postgres_url, redis_url) as served:
        port = int(served.url.rpartition(":")[2])
        await page.goto(served.url)
        await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
        await publish(worker, sol.instrument_id, Family.SIGNALS, 1, signal("momentum"))
        await expect(page.locator("#signals li")).to_have_count(1)
    await expect(page.locator("#connection")).not_to_have_attribute("data-state", "live")
    await publish(worker, sol.instrument_id, Family.SIGNALS, 2, signal("flow"))
    async with serving(ApiSettings(port=port), postgres_url, redis_url):
        await expect(page.locator("#signals li")).to_have_count(2, timeout=20_000)
        await publish(worker, sol.instrument_id, Family.SIGNALS, 3, signal("rsi"))
        await expect(page.locator("#signals li")).to_have_count(3)
        await page.close()


async def test_the_documentation_is_drawn_without_the_internet(served: Served, page: Page) -> None:
    await page.goto(f"{served.url}/docs")
    await expect(page.get_by_role("heading", name="GET/v1/signals", exact=True)).to_be_visible()


async def test_the_health_page_says_what_is_amiss_and_how_everything_stands(
    served: Served, worker: Worker, page: Page
) -> None:
    await page.goto(f"{served.url}/health/page")
    await expect(page.locator("#status")).to_have_text("ok")
    await expect(page.locator("#problems")).to_have_text("Nothing is amiss.")
    await worker.connection.execute(
        "INSERT INTO processes (process_id, role, host, pid, started_at, seen_at, counters)"
        " VALUES ('i', 'ingest', 'host', 7, to_timestamp(0), clock_timestamp() - interval '9 seconds', '{}')"
    )
    await expect(page.locator("#status")).to_have_text("degraded")
    await expect(page.locator("#problems")).to_contain_text("ingest (process 7) has not been seen lately")
    await expect(page.locator("#tables")).to_contain_text("Processes")
