"""``heliograph config``: every setting, its value, unit, and source."""

import os
import re
from collections.abc import Iterator
from typing import IO, Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

from api.settings import ApiSettings
from bus.settings import BusSettings
from db.settings import DatabaseSettings, RetentionSettings
from heliograph.settings import StackSettings
from ingest.settings import HistorySettings, IngestSettings, OutboundSettings
from market.nearest import suggestion
from runtime.settings import RuntimeSettings, Settings, shown, variable
from workers.settings import WorkerSettings

ALL: tuple[type[Settings], ...] = (
    StackSettings,
    RuntimeSettings,
    DatabaseSettings,
    RetentionSettings,
    BusSettings,
    IngestSettings,
    HistorySettings,
    OutboundSettings,
    WorkerSettings,
    ApiSettings,
)
HIDDEN = "****"
_OTHERS: Final = frozenset(
    {"HELIOGRAPH_POSTGRES_PASSWORD", "HELIOGRAPH_RECORDINGS", "HELIOGRAPH_RECORDINGS_REQUIRED"}
)
"""Variables of docker-compose.yml and of the tests."""

_UNIT = re.compile(r"_(seconds|ms|days|bytes|ticks|publications|connections)$")


class Setting(NamedTuple):
    """A setting as it is now."""

    variable: str
    value: str
    unit: str
    source: str
    description: str


def demand_sense() -> None:
    """Read every setting; raises BadSettingError for one that makes no sense."""
    for kind in ALL:
        kind()


def settings() -> Iterator[Setting]:
    """Yield every setting; raises BadSettingError for one that makes no sense."""
    for values in [kind() for kind in ALL]:
        kind = type(values)
        for name, field in kind.model_fields.items():
            unit = _UNIT.search(name)
            yield Setting(
                variable=variable(kind, name),
                value=_shown(getattr(values, name)),
                unit=unit[1] if unit else "",
                source="environment" if name in values.model_fields_set else "default",
                description=field.description or "",
            )


def unknown() -> Iterator[str]:
    """Yield a sentence for each variable that looks like a setting and is none."""
    known = [variable(kind, name) for kind in ALL for name in kind.model_fields]
    for name in sorted(os.environ):
        if name.startswith("HELIOGRAPH_") and name not in _OTHERS.union(known):
            near = suggestion(name, known)
            yield f"{name} is no setting{near and '; ' + near}"


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


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return _without_password(value.get_secret_value())
    return shown(value)


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
