"""Where PostgreSQL is, and how long what is in it is kept."""

from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from runtime.settings import Settings, address

_LEAST_DAYS: Final = 3
"""Healing, repairs, and the verification of the day before reach so far back."""


class DatabaseSettings(Settings):
    """Read once, at the start of a process."""

    model_config = SettingsConfigDict(env_prefix="HELIOGRAPH_DATABASE_", frozen=True)

    url: SecretStr = Field(
        default=SecretStr("postgresql://heliograph@127.0.0.1:5432/heliograph"),
        description="PostgreSQL's address, as libpq writes it.",
    )
    read_url: SecretStr | None = Field(
        default=None, description="A replica of it, which the API reads history from; unset: the same."
    )
    shards: int = Field(
        default=8,
        ge=1,
        le=1024,
        description="How many shards the first migration makes; later it changes nothing.",
    )

    @field_validator("read_url", mode="before")
    @classmethod
    def _empty_is_none(cls, url: object) -> object:
        return url or None

    @field_validator("url", "read_url")
    @classmethod
    def _is_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None:
            return None
        address(url.get_secret_value(), ("postgresql",), "postgresql://user@host:5432/database")
        return url


class RetentionSettings(Settings):
    """Read by the scheduler, and by ``heliograph retention``."""

    model_config = SettingsConfigDict(env_prefix="HELIOGRAPH_RETENTION_", frozen=True)

    trades_days: int = Field(
        default=0, ge=0, description="Days that trades are kept, 3 or more; 0: for ever."
    )
    quotes_days: int = Field(default=0, ge=0, description="The same of quotes.")
    depths_days: int = Field(default=0, ge=0, description="The same of depths.")
    export_dir: Path | None = Field(
        default=None, description="A day is written here, as Parquet, before it is dropped; unset: it is not."
    )

    @field_validator("export_dir", mode="before")
    @classmethod
    def _empty_is_unset(cls, folder: object) -> object:
        return folder or None

    @field_validator("trades_days", "quotes_days", "depths_days")
    @classmethod
    def _reaches_back(cls, days: int) -> int:
        if 0 < days < _LEAST_DAYS:
            message = f"less than the {_LEAST_DAYS} days that healing, repairs, and verification look back"
            raise ValueError(message)
        return days
