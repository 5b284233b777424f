"""Venue symbols in our words: ``BTCUSDT`` is ``BTC/USDT``, ``XBT/USD`` is ``BTC/USD``."""

import re

from market.errors import UnknownInstrumentError

_BINANCE = re.compile(
    r"(.+?)(FDUSD|BUSD|TUSD|USDT|USDC|USDP|USDS|USD1|AEUR|EURI|BIDR|IDRT|BKRW|BVND|BTC|ETH|BNB|XRP|TRX|DOT"
    r"|DAI|VAI|PAX|USD|EUR|GBP|AUD|TRY|BRL|RUB|UAH|NGN|ZAR|PLN|RON|ARS|JPY|MXN|CZK|COP|IDR)"
)
"""Base and quote; the shortest base, so that ``OMGBUSD`` is not read as OMGB/USD."""

_KRAKEN_WORDS = {"XBT": "BTC", "XDG": "DOGE"}


def from_binance(venue_symbol: str) -> str:
    """Return BASE/QUOTE; raises UnknownInstrumentError when no known quote asset ends the symbol."""
    if found := _BINANCE.fullmatch(venue_symbol):
        return f"{found[1]}/{found[2]}"
    message = f"binance symbol {venue_symbol!r} ends in no known quote asset; add it to sim/symbols.py"
    raise UnknownInstrumentError(message)


def from_coinbase(venue_symbol: str) -> str:
    """Return BASE/QUOTE of BASE-QUOTE."""
    return venue_symbol.replace("-", "/")


def from_kraken(venue_symbol: str) -> str:
    """Return BASE/QUOTE with the usual names of the assets that Kraken names its own way."""
    return "/".join(_KRAKEN_WORDS.get(asset, asset) for asset in venue_symbol.split("/"))
