"""With the database gone, memory rises by no more than the buffer's bound, and nothing is lost."""

import pytest

from tests.acceptance.house import House
from tests.acceptance.outages import suffer, told

pytestmark = pytest.mark.slow

BUFFER = 4 * 2**20
IN_HAND_MB = 16.0
"""One write: what is in hand, its columns, and the frames that are read ahead; and what Python keeps."""


async def test_memory_is_bounded_while_postgresql_is_gone_and_nothing_is_lost(house: House) -> None:
    outage = await suffer(house, rate=2000, stopped_seconds=6.0, buffer_bytes=BUFFER)
    print(told(outage))  # noqa: T201 - the figures are asked for
    assert outage.rise_mb < outage.buffer_mb + IN_HAND_MB
    assert outage.peak_share >= 1
    assert outage.pauses > 0
    assert outage.paused_seconds > 1
    assert outage.executed == outage.stored > 0
