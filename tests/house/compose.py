"""The compose file, read as an engine would read it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parents[2] / "docker-compose.yml"
STORES = ("postgres", "valkey")
LONG_RUNNING = (
    "ingest",
    "ingest-history",
    "worker-live",
    "worker-backfill",
    "worker-scoring",
    "scheduler",
    "api",
)
WATCHING = ("prometheus", "grafana")
"""Started by the profile of that name alone."""

PASSWORD = {"HELIOGRAPH_POSTGRES_PASSWORD": "chosen"}

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<how>[?-])(?P<rest>[^}]*))?\}")


def interpolated(text: str, environment: Mapping[str, str]) -> str:
    """Fill in ``${NAME}``, ``${NAME:-default}``, and ``${NAME:?message}`` as compose does."""

    def value(match: re.Match[str]) -> str:
        found = environment.get(match["name"], "")
        if not found and match["how"] == "?":
            raise LookupError(match["name"], match["rest"])
        return found or (match["rest"] or "" if match["how"] == "-" else "")

    return _VARIABLE.sub(value, text)


def services(environment: Mapping[str, str] = PASSWORD) -> dict[str, dict[str, Any]]:
    """Return the services as an engine would see them."""
    lines = (line for line in FILE.read_text().splitlines() if not line.lstrip().startswith("#"))
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(interpolated("\n".join(lines), environment))[
        "services"
    ]
    return loaded
