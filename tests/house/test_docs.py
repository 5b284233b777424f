"""What can be set, measured, raised, called, or asked for is documented, and the documents are still true."""

import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast, get_args

import pytest
import typer
from fastapi import FastAPI
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings
from typer.core import TyperGroup

import heliograph.cli
from api.app import create
from api.frames import CloseCode, Code, Outgoing, Subscribe, Unsubscribe
from api.settings import ApiSettings
from api.state import State
from ingest.settings import FeedSettings
from market import errors
from market.errors import HeliographError
from runtime.declared import EVERY, TABLE
from runtime.metrics import Metrics

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs" / "operations.md"
API = ROOT / "docs" / "api.md"
STREAM = ROOT / "docs" / "stream.md"
PACKAGES = ("api", "bus", "db", "heliograph", "ingest", "runtime", "workers")
DOCUMENTS = sorted({*ROOT.glob("*.md"), *(ROOT / "client").glob("*.md"), *(ROOT / "docs").rglob("*.md")})


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def missing(rows: list[str], document: Path) -> list[str]:
    """Return the rows that ``document`` lacks; they can be pasted into it."""
    return [each for each in rows if each not in document.read_text().splitlines()]


def settings_of(package: str) -> Iterator[type[BaseSettings]]:
    name = f"{package}.settings"
    if find_spec(name):
        for one in vars(import_module(name)).values():
            if isinstance(one, type) and issubclass(one, BaseSettings) and one.__module__ == name:
                yield one


def fields() -> Iterator[tuple[str, str, FieldInfo]]:
    """Yield package, environment variable, and field of every setting."""
    for package in PACKAGES:
        for one in settings_of(package):
            for name, field in one.model_fields.items():
                yield (
                    package,
                    str(field.validation_alias or f"{one.model_config['env_prefix']}{name.upper()}"),
                    field,
                )


def default_of(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        value = str(value).lower()
    return "" if value in (None, "", (), []) else f"`{value}`"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_setting_is_documented(package: str) -> None:
    rows = [
        row(f"`{name}`", default_of(field), field.description or "?")
        for of, name, field in fields()
        if of == package
    ]
    assert [] == missing(rows, OPERATIONS)


def test_every_field_of_a_feed_is_documented() -> None:
    rows = [row(f"`{name}`", field.description or "?") for name, field in FeedSettings.model_fields.items()]
    assert [] == missing(rows, OPERATIONS)


def test_no_setting_is_documented_that_does_not_exist() -> None:
    real = {name for _, name, _ in fields()}
    others = {"HELIOGRAPH_POSTGRES_PASSWORD", "HELIOGRAPH_RECORDINGS", "HELIOGRAPH_RECORDINGS_REQUIRED"}
    named = {name for page in DOCUMENTS for name in re.findall(r"\bHELIOGRAPH_\w+", page.read_text())}
    assert set() == named - real - others


def test_every_metric_is_documented() -> None:
    rows = [
        row(
            f"`{m.name}`",
            m.kind.name.lower(),
            ", ".join(f"`{label}`" for label in m.labels),
            "every" if m.roles == EVERY else ", ".join(m.roles),
            m.documentation,
        )
        for m in TABLE
    ]
    assert [] == missing(rows, OPERATIONS)


def commands(group: TyperGroup, path: str) -> Iterator[tuple[str, str]]:
    """Yield the full name and the help of every command."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", (command.help or "?").splitlines()[0]


def test_every_command_is_documented() -> None:
    everything = typer.main.get_group(heliograph.cli.app)
    rows = [row(f"`{name}`", what) for name, what in commands(everything, "heliograph")]
    assert [] == missing(rows, OPERATIONS)


def application() -> FastAPI:
    """Return the API without anything behind it."""
    return create(cast("State", {"metrics": Metrics(), "settings": ApiSettings(), "limits": None}))


def test_every_route_is_documented() -> None:
    paths = {path for route in application().routes if (path := getattr(route, "path", None))}
    text = API.read_text()
    assert [] == sorted(path for path in paths if f"`GET {path}`" not in text)


def test_every_parameter_is_documented() -> None:
    paths = application().openapi()["paths"]
    named = {
        p["name"] for path in paths.values() for verb in path.values() for p in verb.get("parameters", [])
    }
    text = API.read_text()
    assert [] == sorted(name for name in named if f"`{name}`" not in text)


def test_every_error_is_documented() -> None:
    classes = [
        one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, HeliographError)
    ]
    rows = [
        row(f"`{one.__name__}`", "yes" if one.retryable else "no", (one.__doc__ or "?").splitlines()[0])
        for one in classes
    ]
    assert [] == missing(rows, OPERATIONS)


def test_every_number_of_the_stream_is_documented() -> None:
    numbers = [row(str(int(code)), code.name, "yes" if code.fatal else "no") for code in Code]
    closes = [row(str(int(code)), code.name) for code in CloseCode]
    lines = STREAM.read_text().splitlines()
    rows = [each.removesuffix("|") for each in (*numbers, *closes)]
    assert [] == [each for each in rows if not any(line.startswith(each) for line in lines)]


def test_every_frame_of_the_stream_is_documented() -> None:
    tags = [one.__struct_config__.tag for one in (*get_args(Outgoing), Subscribe, Unsubscribe)]
    text = STREAM.read_text()
    assert [] == [tag for tag in tags if f'{{"op": "{tag}"' not in text and f"`{tag}`" not in text]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text())
    assert [] == [link for link in links if not (document.parent / link).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_exist(document: Path) -> None:
    own = "api|bench|bus|client|db|deploy|docs|heliograph|ingest|market|runtime|sim|tests|web|workers"
    named = re.findall(rf"`((?:{own})/[\w./-]*)`", document.read_text())
    assert [] == [name for name in named if not (ROOT / name).exists()]


def test_every_target_of_make_says_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z]+):", makefile, re.MULTILINE)
    assert targets == re.findall(r"^([a-z]+):.* ## \S", makefile, re.MULTILINE)


def test_the_readmes_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = {name for page in DOCUMENTS for name in re.findall(r"`make ([a-z]+)", page.read_text())}
    assert set() == {name for name in named if f"\n{name}:" not in makefile}
