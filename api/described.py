"""What /openapi.json says beyond what is read off the routes: problems, limits, examples, who may ask."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from api.examples import ELSEWHERE, FIELDS

Json = dict[str, Any]

_ADMIN: Final = "/v1/admin/"
_EVERYWHERE: Final = (400, 404, 405, 408, 413, 415, 422, 429, 431, 500, 503)
_OF_THE_OPERATOR: Final = (401, 403)
_SECONDS: Final = {"type": "integer", "minimum": 0}
_HEADERS: Final[Json] = {
    "RateLimit": (
        "What is left of the limit, and in how many seconds it is whole again.",
        {"type": "string"},
    ),
    "RateLimit-Policy": ("The limit: so many requests in so many seconds.", {"type": "string"}),
    "Retry-After": ("After how many seconds to ask again.", _SECONDS),
    "X-Cache": (
        "Where the answer came from.",
        {"type": "string", "enum": ["hit", "miss", "bypass"]},
    ),
}
_LINES: Final = {
    "application/x-ndjson": '{"exchange":"kraken","symbol":"SOL/USD"}\n',
    "text/csv": "exchange,symbol\r\nkraken,SOL/USD\r\n",
}
"""Cut short: the fields are those of a row in JSON."""

_ON_SUCCESS: Final = ("RateLimit", "RateLimit-Policy")
_ON_STATUS: Final[dict[int, tuple[str, ...]]] = {429: (*_ON_SUCCESS, "Retry-After"), 503: ("Retry-After",)}


def described(schema: Json) -> Json:
    """Return the description, completed in place."""
    components = schema["components"]
    components["responses"] = {str(status): _problem(status) for status in (*_EVERYWHERE, *_OF_THE_OPERATOR)}
    components["headers"] = {
        name: {"description": what, "schema": of} for name, (what, of) in _HEADERS.items()
    }
    components["securitySchemes"] = {"operator": {"type": "http", "scheme": "bearer"}}
    for name, one in components["schemas"].items():
        for field, told in one.get("properties", {}).items():
            if "$ref" not in told and (found := _of_field(name, field)) is not _NONE:
                told["examples"] = [found]
    for path, operation in operations(schema):
        _complete(path, operation, components["schemas"])
    return schema


def operations(schema: Json) -> Iterator[tuple[str, Json]]:
    """Yield each operation with its path."""
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            yield path, operation


def _complete(path: str, operation: Json, schemas: Json) -> None:
    for parameter in operation.get("parameters", []):
        _complete_parameter(path, parameter)
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content["example"] = _example(content["schema"], schemas)
    ours = _OF_THE_OPERATOR if path.startswith(_ADMIN) else ()
    if ours:
        operation["security"] = [{"operator": []}]
    told = {status: answer for status, answer in operation["responses"].items() if status.startswith("2")}
    for answer in told.values():
        names = (*_ON_SUCCESS, "X-Cache") if path.startswith("/v1/") and not ours else _ON_SUCCESS
        answer["headers"] = {name: _reference("headers", name) for name in names}
        for media_type, content in answer.get("content", {}).items():
            content.setdefault("example", _LINES.get(media_type) or _example(content["schema"], schemas))
    problems = {str(status): _reference("responses", str(status)) for status in (*_EVERYWHERE, *ours)}
    operation["responses"] = told | dict(sorted(problems.items()))


def _complete_parameter(path: str, parameter: Json) -> None:
    """Give an example, and take away null: in an address there is none."""
    name, schema = parameter["name"], parameter["schema"]
    said = [each for each in schema.pop("anyOf", []) if each != {"type": "null"}]
    if said:
        schema.update(said[0])
    found = _of_field(path, name)
    if found is not _NONE:
        parameter["example"] = [found] if schema.get("type") == "array" else found


def _problem(status: int) -> Json:
    answer: Json = {
        "description": HTTPStatus(status).phrase,
        "content": {"application/problem+json": {"schema": _reference("schemas", "Problem")}},
    }
    if status in _ON_STATUS:
        answer["headers"] = {name: _reference("headers", name) for name in _ON_STATUS[status]}
    return answer


def _example(schema: Json, schemas: Json, name: str = "", field: str = "") -> Any:  # noqa: ANN401 - any JSON
    if "$ref" in schema:
        named = schema["$ref"].rpartition("/")[2]
        return _example(schemas[named], schemas, named if "properties" in schemas[named] else name, field)
    if "properties" in schema:
        properties = schema["properties"].items()
        return {each: _example(of, schemas, name, each) for each, of in properties}
    found = _of_field(name, field)
    if found is not _NONE:
        return found
    if schema.get("type") == "array":
        return [
            _example(each, schemas, name) for each in schema.get("prefixItems", [schema.get("items", {})])
        ]
    several = schema.get("anyOf") or [schema]
    return _example(several[0], schemas, name) if several[0] is not schema else _least(schema)


def _least(schema: Json) -> Any:  # noqa: ANN401 - any JSON
    if schema.get("type") == "object":
        return {}
    return schema.get("const", next(iter(schema.get("enum", [])), None))


_NONE: Final = object()


def _of_field(where: str, field: str) -> Any:  # noqa: ANN401 - any JSON
    return ELSEWHERE.get((where.rpartition("__")[2], field), FIELDS.get(field, _NONE))


def _reference(section: str, name: str) -> Json:
    return {"$ref": f"#/components/{section}/{name}"}
