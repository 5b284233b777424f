"""``heliograph config``: every setting, its value, unit, and source."""

import re
from collections.abc import Iterator
from typing import IO, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from api.settings import ApiSettings
from bus.settings import BusSettings
from db.settings import DatabaseSettings
from heliograph.settings import StackSettings
from ingest.settings import IngestSettings
from runtime.settings import RuntimeSettings
from workers.settings import WorkerSettings

ALL: tuple[type[BaseSettings], ...] = (
    StackSettings,
    RuntimeSettings,
    DatabaseSettings,
    BusSettings,
    IngestSettings,
    WorkerSettings,
    ApiSettings,
)
HIDDEN = "****"
_UNIT = re.compile(r"_(seconds|ms|days|bytes|ticks|publications|connections)$")


class Setting(NamedTuple):
    """A setting as it is now."""

    variable: str
    value: str
    unit: str
    source: str
    description: str


def settings() -> Iterator[Setting]:
    """Yield every setting; raises pydantic's ValidationError for one that makes no sense."""
    for kind in ALL:
        values = kind()
        for name, field in kind.model_fields.items():
            variable = _variable(kind, name, field)
            unit = _UNIT.search(name)
            yield Setting(
                variable=variable,
                value=_shown(getattr(values, name)),
                unit=unit[1] if unit else "",
                source="environment" if name in values.model_fields_set else "default",
                description=field.description or "",
            )


def show(output: IO[str]) -> None:
    """Print every setting: a table for people, tab-separated lines for programs."""
    if not output.isatty():
        for setting in settings():
            output.write("\t".join(setting) + "\n")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("variable", "value", "unit", "from", "what it does", box=None)
    for setting in settings():
        table.add_row(*setting)
    Console(file=output).print(table)


def _variable(kind: type[BaseSettings], name: str, field: FieldInfo) -> str:
    return str(field.validation_alias or f"{kind.model_config['env_prefix']}{name.upper()}")


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return _without_password(value.get_secret_value())
    return "" if value is None else str(value)


def _without_password(url: str) -> str:
    """Return a URL with its password hidden; what is no URL is hidden whole."""
    parts = urlsplit(url)
    if not parts.scheme:
        return HIDDEN
    user, _, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    netloc = f"{name}{colon and ':' + HIDDEN}@{host}" if user else host
    query = re.sub(r"(?i)(password|passfile|sslkey)=[^&]*", rf"\1={HIDDEN}", parts.query)
    return urlunsplit(parts._replace(netloc=netloc, query=query))
