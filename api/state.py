"""What requests share: made once, in the lifespan."""

from typing import Annotated, Protocol, TypedDict, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from api.cache import Cache
from api.catalogue import Catalogue
from api.database import Database
from api.hub import Hub
from api.settings import ApiSettings
from market.instruments import Instrument
from runtime.metrics import Metrics


class Naming(Protocol):
    """Knows what each venue can have; ingest does."""

    def __call__(self, exchange: str, symbol: str, protocol: str | None, /) -> Instrument:
        """Return the instrument; raises InvalidInputError, with what is near."""


class State(TypedDict):
    """Everything that a route may need."""

    settings: ApiSettings
    database: Database
    catalogue: Catalogue
    cache: Cache
    hub: Hub
    metrics: Metrics
    naming: Naming


def state(connection: HTTPConnection) -> State:
    """Return what the lifespan made."""
    return cast("State", connection.scope["state"])


Here = Annotated[State, Depends(state)]
"""A route's parameter that receives the state."""
