"""How the one-machine stack is run."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from runtime.settings import Settings


class StackSettings(Settings):
    """Read once, by ``heliograph up``, ``demo``, and ``replay``."""

    model_config = SettingsConfigDict(env_prefix="HELIOGRAPH_", frozen=True)

    data_dir: Path | None = Field(
        default=None, description="Folder of heliograph up; by default the platform's folder for user data."
    )
    live_workers: int = Field(
        default=1, ge=1, le=64, description="How many live workers the one-machine stack runs."
    )
