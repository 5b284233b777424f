"""A small exchange that speaks Kraken's protocol and knows who listens to what."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

WITHIN_SECONDS = 30


class Exchange:
    """Acknowledges every symbol but those that it does not have; sends trades when told."""

    def __init__(self, *delisted: str) -> None:
        self.delisted = set(delisted)
        self.url = ""
        self.opened = 0
        self.listening: dict[ServerConnection, set[str]] = {}
        self.unheard: list[str] = []
        """Symbols that were listened to, and then by nobody for a moment."""
        self._changed = asyncio.Event()
        self._numbers: Counter[str] = Counter()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Exchange"]:
        async with serve(self._attend, "127.0.0.1", 0, close_timeout=0.1) as server:
            self.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
            yield self

    @property
    def heard(self) -> Counter[str]:
        """Return by how many connections each symbol is listened to."""
        return Counter(symbol for symbols in self.listening.values() for symbol in symbols)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so; looked at whenever a subscription changes, and now and then."""
        async with asyncio.timeout(WITHIN_SECONDS):
            while not condition():
                self._changed.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), 0.05)

    async def trade(self, *symbols: str) -> None:
        """Send a trade of each symbol to all who listen to it."""
        for symbol in symbols:
            self._numbers[symbol] += 1
            text = json.dumps(_trade(symbol, self._numbers[symbol]))
            for socket, listening in list(self.listening.items()):
                if symbol in listening:
                    await socket.send(text)

    async def _attend(self, socket: ServerConnection) -> None:
        self.opened += 1
        self.listening[socket] = set()
        try:
            with suppress(ConnectionClosed):
                async for text in socket:
                    await self._answer(socket, json.loads(text))
        finally:
            self._change(socket, self.listening[socket], set())
            del self.listening[socket]

    async def _answer(self, socket: ServerConnection, request: dict[str, Any]) -> None:
        method, params = request["method"], request["params"]
        for symbol in params["symbol"]:
            if symbol in self.delisted:
                refusal = {
                    "success": False,
                    "symbol": symbol,
                    "error": f"Currency pair not supported {symbol}",
                }
                await socket.send(json.dumps({"method": method, **refusal}))
                continue
            result = {"channel": params["channel"], "symbol": symbol}
            await socket.send(json.dumps({"method": method, "success": True, "result": result}))
            if params["channel"] == "trade":
                had = self.listening[socket]
                self._change(socket, had, had | {symbol} if method == "subscribe" else had - {symbol})

    def _change(self, socket: ServerConnection, had: set[str], has: set[str]) -> None:
        self.listening[socket] = has
        heard = self.heard
        self.unheard += [symbol for symbol in had - has if not heard[symbol]]
        self._changed.set()


def _trade(symbol: str, number: int) -> dict[str, Any]:
    seconds = f"{number // 60:02}:{number % 60:02}"
    trade = {
        "symbol": symbol,
        "side": "buy",
        "price": 1.5,
        "qty": 2,
        "ord_type": "market",
        "trade_id": number,
        "timestamp": f"2026-11-21T10:{seconds}.000000Z",
    }
    return {"channel": "trade", "type": "update", "data": [trade]}
