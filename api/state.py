"""What requests share: made once, in the lifespan."""

from typing import Annotated, TypedDict, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from api.cache import Cache
from api.catalogue import Catalogue
from api.database import Database
from api.hub import Hub
from api.settings import ApiSettings
from runtime.metrics import Metrics


class State(TypedDict):
    """Everything that a route may need."""

    settings: ApiSettings
    database: Database
    catalogue: Catalogue
    cache: Cache
    hub: Hub
    metrics: Metrics


def state(connection: HTTPConnection) -> State:
    """Return what the lifespan made."""
    return cast("State", connection.scope["state"])


Here = Annotated[State, Depends(state)]
"""A route's parameter that receives the state."""
