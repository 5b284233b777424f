"""/openapi.json is complete: every parameter and every answer has an example that is one."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from jsonschema_rs import Draft202012Validator

from api.app import create
from api.described import operations
from api.settings import ApiSettings
from api.state import State
from runtime.metrics import Metrics

Json = dict[str, Any]


def described() -> Json:
    state = {"metrics": Metrics(), "settings": ApiSettings(), "limits": None}
    return create(cast("State", state)).openapi()


SCHEMA = described()
OPERATIONS = [
    pytest.param(path, operation, id=operation["operationId"]) for path, operation in operations(SCHEMA)
]
OPERATION = pytest.mark.parametrize(("path", "operation"), OPERATIONS)


def contents(operation: Json) -> Iterator[Json]:
    """Yield what an operation takes, and what it gives when all is well."""
    yield from operation.get("requestBody", {}).get("content", {}).values()
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            yield from answer["content"].values()


def faults(schema: Json, example: object) -> list[str]:
    whole = {**schema, "components": SCHEMA["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(example)]


@OPERATION
def test_every_parameter_has_an_example_that_fits(path: str, operation: Json) -> None:
    parameters = [each for each in operation.get("parameters", []) if each["name"] != "cursor"]
    assert [] == [(path, each["name"]) for each in parameters if "example" not in each]
    assert [] == [fault for each in parameters for fault in faults(each["schema"], each["example"])]


@OPERATION
def test_every_body_and_answer_has_an_example_that_fits(path: str, operation: Json) -> None:
    found = list(contents(operation))
    assert found, path
    assert [] == [fault for each in found for fault in faults(each["schema"], each["example"])]


def test_every_field_has_an_example() -> None:
    fields = {
        (name, field)
        for name, one in SCHEMA["components"]["schemas"].items()
        for field, told in one.get("properties", {}).items()
        if "$ref" not in told and "$ref" not in str(told) and "examples" not in told
    }
    assert set() == fields


@OPERATION
def test_every_answer_says_what_it_is_and_every_problem_is_a_problem(path: str, operation: Json) -> None:
    assert operation["description"], path
    for status, answer in operation["responses"].items():
        if not status.startswith("2"):
            told = SCHEMA["components"]["responses"][answer["$ref"].rpartition("/")[2]]
            assert ["application/problem+json"] == list(told["content"])


@OPERATION
def test_only_the_operators_routes_ask_who_you_are(path: str, operation: Json) -> None:
    assert path.startswith("/v1/admin/") == ("security" in operation) == ("401" in operation["responses"])
