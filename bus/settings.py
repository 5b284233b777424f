"""Where Redis is."""

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from runtime.settings import Settings, address


class BusSettings(Settings):
    """Read once, at the start of a process."""

    model_config = SettingsConfigDict(env_prefix="HELIOGRAPH_REDIS_", frozen=True)

    url: SecretStr = Field(
        default=SecretStr("redis://127.0.0.1:6379/0"),
        description="Redis' or Valkey's address; unix:///path works too.",
    )

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: SecretStr) -> SecretStr:
        address(url.get_secret_value(), ("redis", "rediss", "unix"), "redis://host:6379/0")
        return url
