"""The page in a real browser, without a window."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from api.settings import ApiSettings
from market.bars import Bar
from market.channels import Family
from market.publications import Latest, Publication
from market.signals import Direction, Signal
from market.texts import Name, bar_text, signal_text
from market.times import SECOND
from runtime.clock import now
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
    return signal_text(SOL, decided, 1.0, T, T + 12_000)


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
    await expect(page.locator("h2", has_text="/v1/signals")).to_be_visible()
