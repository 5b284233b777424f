"""What requests share: made once, in the lifespan."""

from typing import TYPE_CHECKING, Annotated, Protocol, TypedDict, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from api.cache import Cache
from api.catalogue import Catalogue
from api.cursors import Cursors
from api.database import Database
from api.hub import Hub
from api.limits import Limits
from api.settings import ApiSettings
from db.processes import Heartbeat
from db.signals import StoredSignal
from market.explanations import Explanation
from market.instruments import Instrument
from runtime.metrics import Metrics

if TYPE_CHECKING:
    from db.connections import Connection


class Naming(Protocol):
    """Knows what each venue can have; ingest does."""

    def __call__(self, exchange: str, symbol: str, protocol: str | None, /) -> Instrument:
        """Return the instrument; raises InvalidInputError, with what is near."""


class Explaining(Protocol):
    """Knows how signals are decided; workers do."""

    async def __call__(
        self, connection: "Connection", exchange_id: int, stored: StoredSignal, at_most: int, /
    ) -> Explanation:
        """Return why a signal was told, with the newest ``at_most`` of its ticks and steps."""


class State(TypedDict):
    """Everything that a route may need; ``history`` may be a replica of ``database``, and behind it."""

    settings: ApiSettings
    database: Database
    history: Database
    catalogue: Catalogue
    cache: Cache
    cursors: Cursors
    heartbeat: Heartbeat
    hub: Hub
    limits: Limits
    metrics: Metrics
    naming: Naming
    explaining: Explaining


async def state(connection: HTTPConnection) -> State:
    """Return what the lifespan made; async, as whatever is not is called in a thread."""
    return cast("State", connection.scope["state"])


Here = Annotated[State, Depends(state)]
"""A route's parameter that receives the state."""
