"""Routes that are asked often: described as all others, answered without what they do not need."""

from collections.abc import Callable, Coroutine
from inspect import signature
from typing import Any, Final, get_origin, get_type_hints

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError

from api.questions import Question

_LEAN: Final = ("request", "question", "here")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class LeanRoute(APIRoute):
    """Reads the question itself where an endpoint takes nothing else: FastAPI takes as long as a kept answer.

    The description of the route is FastAPI's, and so is what is said of a question that makes no sense.
    """

    def get_route_handler(self) -> Handler:
        """Return what answers a request."""
        if tuple(signature(self.endpoint).parameters) != _LEAN:
            return super().get_route_handler()
        kind, endpoint = get_type_hints(self.endpoint)["question"], self.endpoint
        lists = _lists(kind)

        async def handle(request: Request) -> Response:
            question = _question(kind, lists, request)
            answer: Response = await endpoint(request, question, request.scope["state"])
            return answer

        return handle


def _lists(kind: type[Question]) -> frozenset[str]:
    """Return the parameters that may be repeated."""
    fields = kind.model_fields.items()
    return frozenset(field.alias or name for name, field in fields if get_origin(field.annotation) is list)


def _question(kind: type[Question], lists: frozenset[str], request: Request) -> Question:
    asked = request.query_params
    values = {name: asked.getlist(name) if name in lists else asked[name] for name in asked}
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        found = [{**each, "loc": ("query", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(found) from error
