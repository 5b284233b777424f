"""How workers work."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from runtime.settings import Settings


class WorkerSettings(Settings):
    """Read once, at the start of a process."""

    model_config = SettingsConfigDict(env_prefix="HELIOGRAPH_WORKER_", frozen=True)

    poll_after_seconds: float = Field(
        default=0.1, gt=0, description="A live worker looks for batches this often even if nobody wakes it."
    )
    commit_after_seconds: float = Field(
        default=0.004, ge=0, description="The least time between two claims of one live worker."
    )
    repair_after_seconds: float = Field(
        default=1.0, gt=0, description="A backfill worker looks for dirty intervals this often."
    )
    partitions_ahead_days: int = Field(
        default=3, ge=1, description="The scheduler keeps this many day partitions ready after today."
    )
