"""Strike a running stack as planned, let it recover, and judge what it stored."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import msgspec
import structlog

from db import audits, proofs
from db.audits import Unsettled
from db.connections import connected
from db.history import gaps
from db.history.gaps import Filters
from db.instruments import Listed, listed
from heliograph.chaos import house
from heliograph.chaos.listeners import Heard, Listener, Offsets, listening
from heliograph.chaos.plan import House, Strike
from heliograph.chaos.verdict import Evidence, Told, Verdict, judge
from heliograph.console import Console
from heliograph.stack import Plan, Stack, running
from heliograph.venues import Venue, venue_open
from market.errors import StackError, StoreError
from market.gaps import TRADES, Gap
from runtime.lifecycle import wait_at_most
from workers.folding import Folder
from workers.kinds.catalogue import KINDS
from workers.verifying import Verifier

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)

INGESTERS = 2
_LOOK_EVERY_SECONDS = 0.5
_SETTLED_FOR_SECONDS = 10.0
_SETTLE_WITHIN_SECONDS = 300.0
_HEARD_WITHIN_SECONDS = 120.0
_ANSWER_SECONDS = 30.0
_ALL_GAPS = 1_000_000


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How a run went. ``passed``: settled in time, no verdict finds a fault, and every subscriber has all."""

    passed: bool
    seconds: float
    settled: bool
    strikes: Sequence[Strike]
    gaps: Mapping[str, int]
    verdicts: Mapping[str, Verdict]
    subscribers: Mapping[str, Heard]


class Market(NamedTuple):
    """A simulated venue, and the arguments that it was started with."""

    name: str
    venue: Venue


class Scene(NamedTuple):
    """Whom strikes strike, and who is told."""

    console: Console
    http: httpx.AsyncClient
    markets: Sequence[Market]
    ears: Sequence[Listener]


async def run(
    plan: Plan,
    console: Console,
    simulations: Mapping[str, Sequence[str]],
    strikes: Sequence[Strike],
    stopping: asyncio.Event,
) -> Report | None:
    """Strike the stack, which listens to ``simulations`` by venue; None: stopped before the end."""
    began = time.monotonic()
    async with running(plan, console) as stack, _markets(stack, simulations) as markets:
        await stack.start_roles()
        async with (
            httpx.AsyncClient(timeout=_ANSWER_SECONDS) as http,
            listening(plan.host, plan.port) as ears,
        ):
            await stack.start_ingest([await each.venue.feed() for each in markets], INGESTERS)
            await _strike_all(Scene(console, http, markets, ears), strikes, stopping)
            settled = not stopping.is_set() and await _settled(stack, markets, stopping)
            if stopping.is_set():
                return None
            verdicts, found = await _judged(stack, http, markets)
            heard = await _heard(stack, ears)
    faults = sum(each.faults for each in verdicts.values()) + sum(each.faults for each in heard.values())
    return Report(
        passed=settled and not faults,
        seconds=round(time.monotonic() - began, 1),
        settled=settled,
        strikes=strikes,
        gaps=Counter(f"{gap.kind} {gap.cause} {gap.state}" for gap in found),
        verdicts=verdicts,
        subscribers=heard,
    )


@asynccontextmanager
async def _markets(stack: Stack, simulations: Mapping[str, Sequence[str]]) -> AsyncIterator[list[Market]]:
    async with AsyncExitStack() as open_:
        yield [
            Market(name, await open_.enter_async_context(venue_open(stack, arguments, f"sim-{name}")))
            for name, arguments in simulations.items()
        ]


async def _strike_all(scene: Scene, strikes: Sequence[Strike], stopping: asyncio.Event) -> None:
    """Strike when it is time."""
    random = Random(len(strikes))  # noqa: S311 - chance is seeded, and no secret
    began = time.monotonic()
    for strike in strikes:
        await wait_at_most(stopping, max(0.0, began + strike.at_seconds - time.monotonic()))
        if stopping.is_set():
            return
        scene.console.say(f"{strike.at_seconds:.0f} s: {strike.what} {strike.venue}".rstrip())
        if strike.venue:
            [url] = [each.venue.rest_url for each in scene.markets if each.name == strike.venue]
            await _order(scene.http, url, strike)
        elif not _strike_house(House(strike.what), scene, random):
            scene.console.say(f"{strike.what} found nobody: what it strikes is down already")


def _strike_house(what: House, scene: Scene, random: Random) -> bool:
    if what is House.CUT_SUBSCRIBERS:
        return sum(ear.wire.cut() for ear in scene.ears) > 0
    return house.strike(what, random)


async def _order(http: httpx.AsyncClient, url: str, strike: Strike) -> None:
    answer = await http.post(f"{url}/sim/faults", json={"kind": strike.what, "seconds": strike.seconds})
    if answer.is_error:
        message = f"the simulated venue refused {strike.what}: {answer.text}"
        raise StackError(message)


async def _settled(stack: Stack, markets: Sequence[Market], stopping: asyncio.Event) -> bool:
    """Wait until the tapes have ended, nothing may heal any more, and nothing has changed for a while."""
    last: tuple[Unsettled | None, float] = (None, time.monotonic())
    until: float | None = None
    while until is None or time.monotonic() < until:
        if until is None and all([(await each.venue.status())["finished"] for each in markets]):
            until = time.monotonic() + _SETTLE_WITHIN_SECONDS
        seen = await _unsettled(stack)
        if seen != last[0]:
            last = seen, time.monotonic()
        quiet = time.monotonic() - last[1] > _SETTLED_FOR_SECONDS
        if until is not None and seen is not None and quiet and not (seen.gaps or seen.batches):
            return True
        await wait_at_most(stopping, _LOOK_EVERY_SECONDS)
        if stopping.is_set():
            return False
    return False


async def _unsettled(stack: Stack) -> Unsettled | None:
    try:
        async with connected(stack.database_url, "heliograph chaos") as connection:
            return await audits.unsettled(connection)
    except StoreError as error:
        logger.info("chaos.waiting", error=str(error))
        return None


async def _judged(
    stack: Stack, http: httpx.AsyncClient, markets: Sequence[Market]
) -> tuple[dict[str, Verdict], list[Gap]]:
    verdicts: dict[str, Verdict] = {}
    async with connected(stack.database_url, "heliograph chaos") as connection:
        known = {each.instrument.key: each for each in await listed(connection)}
        found = await gaps.read(connection, Filters(), after=0, limit=_ALL_GAPS)
        for market in markets:
            for symbol, venue_symbol in await _symbols(market):
                key = f"{market.name}:{symbol}"
                tape = await _tape(http, market.venue.rest_url, venue_symbol)
                verdicts[key] = judge(await _evidence(connection, known[key], tape, found))
    return verdicts, found


async def _heard(stack: Stack, ears: Sequence[Listener]) -> dict[str, Heard]:
    """Return what became of subscribers, once each has all of the log, or does not come to it in time."""
    for ear in ears:
        ear.hurrying.set()
    until = time.monotonic() + _HEARD_WITHIN_SECONDS
    while True:
        published = await _published(stack)
        heard = {ear.name: ear.judged(published) for ear in ears}
        if not any(each.faults for each in heard.values()) or time.monotonic() > until:
            return heard
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


async def _published(stack: Stack) -> Offsets:
    async with connected(stack.database_url, "heliograph chaos") as connection:
        keys = {each.instrument_id: each.instrument.key for each in await listed(connection)}
        return {
            f"{family}:{keys[instrument_id]}": offsets
            for (instrument_id, family), offsets in (await audits.published(connection)).items()
        }


async def _symbols(market: Market) -> list[tuple[str, str]]:
    status = await market.venue.status()
    return list(zip(status["symbols"], status["venue_symbols"], strict=True))


async def _tape(http: httpx.AsyncClient, url: str, venue_symbol: str) -> list[Told]:
    answer = await http.get(f"{url}/sim/tape", params={"symbol": venue_symbol})
    answer.raise_for_status()
    told: dict[str, Any] = answer.json()
    return msgspec.convert(told["trades"], list[Told])


async def _evidence(
    connection: "Connection", of: Listed, tape: Sequence[Told], found: Sequence[Gap]
) -> Evidence:
    ends = tape[0].ts, tape[-1].ts + 1
    covering = await proofs.read_coverage(connection, [of.instrument_id], TRADES, *ends)
    return Evidence(
        tape,
        await audits.trades_of(connection, of.exchange_id, of.instrument_id),
        await audits.bars_of(connection, of.instrument_id),
        [gap for gap in found if gap.instrument_id == of.instrument_id and gap.kind == TRADES],
        covering[of.instrument_id],
        await audits.dirty_of(connection, of.instrument_id),
        await audits.log_of(connection, of.instrument_id),
        await audits.signals_of(connection, of.instrument_id),
        await _different(connection, of, *ends),
    )


async def _different(connection: "Connection", of: Listed, from_ts: int, to_ts: int) -> int:
    """Count what is unlike the stored tape; the log shows of what."""
    made = await Verifier(connection, Folder(KINDS)).verify(of, from_ts, to_ts)
    for each in made.differences:
        logger.warning("chaos.different", instrument=of.instrument.key, difference=msgspec.to_builtins(each))
    return len(made.differences)
