"""Frames of the size of a signal's, each with the time at which it was sent."""

import time
from typing import Final

import msgspec

from api.documented import EXAMPLES
from bench.audience import SENT_AT

_SIGNAL: Final = msgspec.json.encode(EXAMPLES["signal"][0]["data"]).decode().removesuffix("}")


def data() -> str:
    """Return a signal's data, sent now."""
    return f"{_SIGNAL},{SENT_AT.decode()}{time.monotonic_ns()}}}"


def text(offset: int) -> str:
    """Return the frame of it."""
    return f'{{"op":"signal","channel":"signals:kraken:SOL/USD","offset":{offset},"data":{data()}}}'
