"""What is answered by HTTP: the venue's own REST, and ``/sim``, which no venue has."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import NamedTuple

from market.errors import InvalidInputError
from runtime.clock import Clock
from sim.broadcast import Broadcast
from sim.faults import orders
from sim.faults.injector import Injector
from sim.ledger import Ledger
from sim.messages import parsed
from sim.protocols.protocol import SnapshotRequest, VenueProtocol
from sim.rest.rest import Address, VenueRest, address_of
from sim.rest.tape import tape_of
from sim.tapes import Tape
from sim.wire.http import Answer, Request, json_of

STATUS_PATH = "/sim/status"
TAPE_PATH = "/sim/tape"
END_PATH = "/sim/end"
FAULTS_PATH = "/sim/faults"


class Files(NamedTuple):
    """What the desk answers from."""

    venue: VenueProtocol
    rest: VenueRest
    tape: Tape
    ledger: Ledger
    faults: Injector
    broadcast: Broadcast
    status: Callable[[], object]
    end: Callable[[], Awaitable[None]]
    clock: Clock


class Desk:
    """Answers requests."""

    def __init__(self, files: Files) -> None:
        """Take what to answer from."""
        self._files = files
        self._own: dict[str, Callable[[Request], Awaitable[Answer]]] = {
            STATUS_PATH: self._status,
            TAPE_PATH: self._tape,
            END_PATH: self._end,
            FAULTS_PATH: self._faults,
        }

    async def answer(self, request: Request) -> Answer | None:
        """Answer; None where a socket is to be opened."""
        path = address_of(request.target).path
        if own := self._own.get(path) or self._own.get(path.rpartition("/")[0]):
            return await own(request)
        if self._files.venue.topics_of(request.target) is not None and request.wants_socket:
            return _refused("the venue takes no connections now") if self._files.faults.refuses else None
        answer = await self._venues(request)
        return answer or Answer(json_of({"error": f"{path} is not served here"}), HTTPStatus.NOT_FOUND)

    async def _venues(self, request: Request) -> Answer | None:
        files = self._files
        if book := files.venue.snapshot_request(request.target):
            return files.rest.limited(files.clock()) if files.faults.limits() else self._book(book)
        answer = files.rest.answer(address_of(request.target), files.ledger, files.clock())
        if answer is None:
            return None
        await asyncio.sleep(files.faults.holds_seconds())
        return files.rest.limited(files.clock()) if files.faults.limits() else answer

    def _book(self, request: SnapshotRequest) -> Answer:
        book = parsed(self._files.tape.snapshot(request.symbol) or b"")
        if book is None:
            return Answer(b'{"code":-1121,"msg":"Invalid symbol."}', HTTPStatus.BAD_REQUEST)
        sides = {side: book[side][: request.limit] for side in ("bids", "asks")}
        return Answer(json_of({**book, **sides}))

    async def _status(self, _request: Request) -> Answer:
        return Answer(json_of(self._files.status()))

    async def _end(self, request: Request) -> Answer:
        """End the tape with POST."""
        if request.method != "POST":
            return Answer(json_of({"error": "POST ends the tape"}), HTTPStatus.METHOD_NOT_ALLOWED)
        await self._files.end()
        return await self._status(request)

    async def _tape(self, request: Request) -> Answer:
        return tape_of(address_of(request.target), self._files.ledger)

    async def _faults(self, request: Request) -> Answer:
        """List, order with POST, or end with DELETE: all, or the one whose number ends the path."""
        if request.method == "POST":
            return self._ordered(request)
        if request.method == "DELETE":
            await self._files.broadcast.end(self._meant(address_of(request.target)))
        return Answer(json_of([injection.told() for injection in self._files.faults.all]))

    def _ordered(self, request: Request) -> Answer:
        try:
            order = orders.from_json(request.body)
        except InvalidInputError as exc:
            return Answer(json_of({"error": str(exc)}), HTTPStatus.BAD_REQUEST)
        injection = self._files.faults.command(order, self._files.clock())
        return Answer(json_of(injection.told()), HTTPStatus.CREATED)

    def _meant(self, address: Address) -> list[int]:
        number = address.path.removeprefix(FAULTS_PATH).strip("/")
        return [each.number for each in self._files.faults.all if not number or number == str(each.number)]


def _refused(why: str) -> Answer:
    return Answer(json_of({"error": why}), HTTPStatus.SERVICE_UNAVAILABLE)
