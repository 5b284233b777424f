"""GET, POST, PATCH, DELETE /v1/admin/feeds: what is listened to. For who knows the operator's token."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query, Request

from api.admission import actor, operator
from api.feeds import (
    NewSubscriptions,
    Subscription,
    SubscriptionChange,
    SubscriptionChanges,
    Subscriptions,
    SubscriptionsNamed,
    SubscriptionState,
)
from api.state import Here, State
from db import feeds as stored
from db.audit import act_as
from db.feeds import Change, WantedFeed
from market.errors import ConfigurationError, InvalidInputError

if TYPE_CHECKING:
    from db.connections import Connection

router = APIRouter(tags=["operator"], dependencies=[Depends(operator)])

_VERBS = {"active": stored.resume, "paused": stored.pause}


@router.get("/v1/admin/feeds")
async def feeds(here: Here) -> Subscriptions:
    """Read every feed, with the process that listens to it."""
    async with here["database"].connection() as connection:
        return Subscriptions(data=[Subscription.of(row) for row in await stored.feeds(connection)])


@router.post("/v1/admin/feeds", status_code=201)
async def add(asked: NewSubscriptions, request: Request, here: Here) -> SubscriptionChanges:
    """Listen to these too, beginning with their recent past; 503 while no ingester has room."""
    wanted = [
        WantedFeed(
            exchange=asked.exchange,
            symbol=_named(here, asked, symbol),
            protocol=asked.protocol,
            stream_url=asked.stream_url,
            rest_url=asked.rest_url,
        )
        for symbol in dict.fromkeys(asked.symbols)
    ]
    return await _changed(here, request, lambda connection: stored.add(connection, wanted))


@router.patch("/v1/admin/feeds")
async def change(asked: SubscriptionState, request: Request, here: Here) -> SubscriptionChanges:
    """Pause or resume these."""
    verb = _VERBS[asked.state]
    return await _changed(here, request, lambda connection: verb(connection, asked.names))


@router.delete("/v1/admin/feeds")
async def remove(
    asked: Annotated[SubscriptionsNamed, Query()], request: Request, here: Here
) -> SubscriptionChanges:
    """Listen to these no more; what was stored stays."""
    return await _changed(here, request, lambda connection: stored.remove(connection, asked.names))


def _named(here: State, asked: NewSubscriptions, symbol: str) -> str:
    try:
        return here["naming"](asked.exchange, symbol, asked.protocol).symbol
    except ConfigurationError as error:  # the asker's, here
        raise InvalidInputError(str(error), where="protocol") from error


async def _changed(
    here: State, request: Request, work: Callable[["Connection"], Awaitable[list[Change]]]
) -> SubscriptionChanges:
    async with here["database"].connection() as connection, connection.transaction():
        await act_as(connection, actor(request), in_transaction=True)
        changes = await work(connection)
    return SubscriptionChanges(data=[SubscriptionChange.of(each) for each in changes])
