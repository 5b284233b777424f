"""``GET /sim/tape?symbol=BTCUSDT``: what truly happened, for tests to compare with what was stored."""

from http import HTTPStatus

import msgspec

from sim.ledger import Fill, Ledger
from sim.rest.rest import Address
from sim.wire.http import Answer, json_of


class Told(msgspec.Struct, frozen=True):
    """A trade of the true tape; ``forgotten``: the venue's own history lacks it for ever."""

    id: int
    ts: int
    price: str
    size: str
    side: str
    forgotten: bool


def tape_of(address: Address, ledger: Ledger) -> Answer:
    """Answer with the trades of a venue symbol, the oldest first, after an id and up to a limit if wanted."""
    symbol = address.query.get("symbol", "")
    trades = ledger.of(symbol)
    if trades is None:
        return Answer(json_of({"error": f"no symbol {symbol!r} is traded here"}), HTTPStatus.NOT_FOUND)
    after = address.number("after")
    rows = trades.tape(-1 if after is None else after, address.number("limit"))
    told = [_told(number, fill, known=known) for number, fill, known in rows]
    return Answer(json_of({"symbol": symbol, "trades": told}))


def _told(number: int, fill: Fill, *, known: bool) -> Told:
    return Told(number, fill.ts, fill.price, fill.size, fill.side, not known)
