"""Publications that say something, committed and told as a worker does it."""

from dataclasses import dataclass, field

from db.instruments import Listed
from market.bars import Bar
from market.channels import Family
from market.publications import Publication
from market.texts import Name, bar_text
from market.times import SECOND
from tests.api.peers import Worker

T = 1_733_270_400 * SECOND
"""2024-12-04T00:00:00Z."""

BARS = "bars:kraken:SOL/USD"


@dataclass
class Teller:
    """Tells final bars of one instrument; the open of each is its offset, and so is its second."""

    worker: Worker
    listed: Listed
    told: int = field(default=0)

    async def tell(self, count: int = 1, *, aloud: bool = True) -> None:
        """Commit so many; what is not told ``aloud`` is found by the API itself."""
        made = [self._publication(offset) for offset in range(self.told + 1, self.told + count + 1)]
        await self.worker.connection.executemany(
            "INSERT INTO publications VALUES ($1, $2, $3, $4, NULL, 'rsi', $6, $5, $6)",
            [(p.instrument_id, p.family, p.offset, p.op, p.data, p.committed_at) for p in made],
        )
        self.told += count
        if aloud:
            await self.worker.bus.publish(made)

    def _publication(self, offset: int) -> Publication:
        bar = Bar(SECOND, T + offset * SECOND, float(offset), 2.0, 1.0, 1.5, 10.0, 15.0, 6.0, 4.0, 3)
        named = self.listed.instrument
        text = bar_text(Name(named.exchange, named.symbol), bar, 1.0, "live")
        return Publication(self.listed.instrument_id, Family.BARS, offset, "bar", text, T + offset * SECOND)
