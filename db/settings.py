"""Where PostgreSQL is."""

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from runtime.settings import Settings, address


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
