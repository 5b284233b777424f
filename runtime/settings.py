"""Settings, read from the environment once, at the start of a process."""

import json
import re
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

_NAMED = re.compile(r'field "(\w+)"')


class BadSettingError(ValueError):
    """A variable makes no sense. The message names it, what it says, and what to do."""


class Settings(BaseSettings):
    """The settings of one package; raises BadSettingError for what makes no sense."""

    def __init__(self, **values: Any) -> None:
        """Read the environment, except for ``values`` that are given."""
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise BadSettingError(_refusals(type(self), error)) from error
        except SettingsError as error:
            raise BadSettingError(_unreadable(type(self), error)) from error


def variable(kind: type[BaseSettings], name: str) -> str:
    """Return the environment variable of a setting."""
    alias = kind.model_fields[name].validation_alias
    return str(alias or f"{kind.model_config['env_prefix']}{name.upper()}")


def shown(value: object) -> str:
    """Return a value as one would set it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return json.dumps([_plain(each) for each in value])
    return "" if value is None else str(value)


def is_secret(field: FieldInfo) -> bool:
    """Tell whether a setting may hold what nobody is to see."""
    return "SecretStr" in str(field.annotation)


def _plain(value: object) -> object:
    return value.model_dump(mode="json", exclude_none=True) if isinstance(value, BaseModel) else value


def _refusals(kind: type[BaseSettings], error: ValidationError) -> str:
    by_alias = {str(field.validation_alias): name for name, field in kind.model_fields.items()}
    told = []
    for each in error.errors():
        first, *deeper = each["loc"] or ("",)
        name = by_alias.get(str(first), str(first))
        what = each["msg"].removeprefix("Value error, ")
        where = f" at {'.'.join(map(str, deeper))}" if deeper else ""
        told.append(_refusal(kind, name, each["input"], f"{what[0].lower()}{what[1:]}{where}"))
    return "; ".join(told)


def _unreadable(kind: type[BaseSettings], error: SettingsError) -> str:
    named = _NAMED.search(str(error))
    if named is None:
        return str(error)
    return _refusal(kind, named[1], "", f"not JSON: {error.__cause__}")


def _refusal(kind: type[BaseSettings], name: str, value: object, what: str) -> str:
    field = kind.model_fields[name]
    given = f"={value}" if isinstance(value, str) and value and not is_secret(field) else ""
    default = "" if is_secret(field) else shown(field.get_default(call_default_factory=True))
    remedy = f"set it right, or unset it for {default}" if default else "set it right, or unset it"
    return f"{variable(kind, name)}{given}: {what}; {remedy} ({field.description})"


def address(url: str, schemes: tuple[str, ...], example: str) -> str:
    """Return ``url`` if it is the address of a store; raises ValueError, which never repeats it."""
    message = f"no address of one of {', '.join(schemes)}; write it like {example}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and ("," in parts.netloc or parts.port != 0)
    except ValueError as error:
        raise ValueError(message) from error
    if not usable:
        raise ValueError(message)
    return url


class RuntimeSettings(Settings):
    """How a process of ours behaves, whatever it does."""

    model_config = SettingsConfigDict(env_prefix="HELIOGRAPH_", frozen=True)

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe events that are logged."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto", description="auto: console on a terminal, JSON lines elsewhere."
    )
    log_lines: int = Field(
        default=100, ge=0, description="Lines of one event in ten seconds, at most; 0: all of them."
    )
    parent_fd: int | None = Field(
        default=None,
        description="An inherited pipe whose end means that the parent died; set by heliograph up.",
    )
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Where roles but the API answer /metrics and /health; 0: any port; unset: not at all.",
    )
    metrics_host: str = Field(default="127.0.0.1", description="And at which address.")
