"""cryptofeed's PostgreSQL back-end, fed as its feeds do; runs in cryptofeed's environment.

Standard input: the server's ``host``, ``port``, ``user``, ``database``; ``batches`` of trades, each a list of
exchange, symbol, side, size, price, seconds, id, and seconds of receipt.
"""

import asyncio
import json
import sys
import time
from decimal import Decimal
from typing import Any

import asyncpg
import uvloop
from cryptofeed.backends.postgres import TradePostgres
from cryptofeed.types import Trade

_TABLE = """
DROP TABLE IF EXISTS cryptofeed_trades;
CREATE TABLE cryptofeed_trades (
    id bigserial, timestamp timestamp, receipt timestamp, exchange text, symbol text, side text,
    amount double precision, price double precision, trade_id text, order_type text,
    PRIMARY KEY (exchange, symbol, timestamp, trade_id)
)
"""


async def main(plan: dict[str, Any]) -> dict[str, float]:
    """Write every batch, the next one waiting while one is written; tell what was stored, and how fast."""
    server = {name: plan[name] for name in ("host", "port", "user", "database")}
    connection = await asyncpg.connect(**server)
    await connection.execute(_TABLE)
    batches = [[_trade(*values) for values in batch] for batch in plan["batches"]]
    database = server.pop("database")
    backend = TradePostgres(**server, db=database, table="cryptofeed_trades")
    began = time.perf_counter()
    backend.start(asyncio.get_running_loop())
    for batch in batches:
        while not backend.queue.empty():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)
        for trade, receipt in batch:
            await backend(trade, receipt)
    await backend.queue.join()
    seconds = time.perf_counter() - began
    stored = await connection.fetchval("SELECT count(*) FROM cryptofeed_trades")
    offered = sum(map(len, batches))
    await connection.execute("DROP TABLE cryptofeed_trades")
    return {
        "offered/s": offered / seconds,
        "stored/s": stored / seconds,
        "dropped": plan["distinct"] - stored,
    }


def _trade(*values: Any) -> tuple[Trade, float]:
    exchange, symbol, side, size, price, seconds, trade_id, receipt = values
    return Trade(exchange, symbol, side, Decimal(size), Decimal(price), seconds, id=trade_id), receipt


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(main(json.load(sys.stdin)))))
