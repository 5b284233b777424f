"""``heliograph backfill``: history is planned, put in the queue, and watched until it is there."""

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from bus import budgets
from db.connections import connected
from heliograph import jobs
from heliograph.backfills import Asked, Part, Plan, Planner, enqueue
from heliograph.changing import changing
from heliograph.durations import duration
from heliograph.jobs import Options
from heliograph.whereabouts import database_url, redis_url
from ingest.outbound.opening import opened
from ingest.settings import HistorySettings, OutboundSettings
from market.coverage import Interval
from market.times import SECOND, to_iso
from runtime.clock import now

_MEGABYTE = 1_000_000


def backfill(wanted: Asked, options: Options, *, detach: bool) -> None:
    """Fetch what is missing of a range, and stay until it is there and computed."""
    plan = asyncio.run(_planned(wanted, options))
    _show(plan, options)
    if options.dry_run or plan.is_empty:
        return
    job_id = asyncio.run(_enqueued(plan, options))
    if detach:
        jobs.said(job_id, "waiting", options)
    else:
        jobs.watch(job_id, options)


async def _planned(wanted: Asked, options: Options) -> Plan:
    url = database_url(options.data_dir)
    api_key = HistorySettings().binance_api_key.get_secret_value()
    async with (
        budgets.opened(redis_url(options.data_dir)) as shared,
        opened(shared, url, OutboundSettings()) as outbound,
        connected(url, "heliograph backfill") as connection,
    ):
        return await Planner(connection, outbound, now, api_key).plan(wanted)


async def _enqueued(plan: Plan, options: Options) -> int:
    async with changing(options.data_dir, "backfill") as connection, connection.transaction():
        return await enqueue(connection, plan)


def _show(plan: Plan, options: Options) -> None:
    if options.as_json:
        sys.stdout.write(json.dumps({"plan": fields(plan)}) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(plan))
    sys.stdout.flush()


def fields(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON has it."""
    cost = plan.estimate
    return {
        "from_ts": to_iso(plan.from_ts),
        "to_ts": to_iso(plan.to_ts),
        "rows": cost.rows,
        "requests": cost.requests,
        "seconds": round(cost.seconds, 1),
        "bytes": cost.bytes,
        "instruments": [
            {
                "instrument": part.instrument.key,
                "begins_at": None if part.begins_at is None else to_iso(part.begins_at),
                "missing": [[to_iso(each.from_ts), to_iso(each.to_ts)] for each in part.missing],
                "pieces": len(part.pieces),
                "rows": part.estimate.rows,
            }
            for part in plan.parts
        ],
    }


def _lines(plan: Plan) -> Iterator[str]:
    for part in plan.parts:
        yield from _part(part, plan)
    if plan.is_empty:
        yield "nothing is missing"
        return
    cost = plan.estimate
    yield (
        f"about {cost.rows:,} trades in {cost.requests:,} requests: "
        f"{duration(cost.seconds)} under the venue's limit, {cost.bytes / _MEGABYTE:,.0f} MB on disk"
    )


def _part(part: Part, plan: Plan) -> Iterator[str]:
    lacking = sum(each.to_ts - each.from_ts for each in part.missing) / SECOND
    asked = (plan.to_ts - plan.from_ts) / SECOND
    yield (
        f"{part.instrument.key}  {to_iso(plan.from_ts)} to {to_iso(plan.to_ts)}: "
        f"{duration(lacking)} of {duration(asked)} missing"
    )
    if part.begins_at is not None and part.begins_at > plan.from_ts:
        yield f"  the venue has nothing from before {to_iso(part.begins_at)}"
    if part.pieces:
        where = f"{_intervals(part.missing)}, {len(part.pieces)} pieces"
        yield f"  about {part.estimate.rows:,} trades in {where}"


def _intervals(missing: Sequence[Interval]) -> str:
    return "1 interval" if len(missing) == 1 else f"{len(missing)} intervals"
