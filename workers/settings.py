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
    show_after_seconds: float = Field(
        default=0.25, ge=0, description="A live worker shows bars that still run no more often than this."
    )
    repair_after_seconds: float = Field(
        default=1.0, gt=0, description="A backfill worker looks for dirty intervals this often."
    )
    repair_yields_above_seconds: float = Field(
        default=2.0, ge=0, description="Repairs wait a little while ticks have waited for workers so long."
    )
    traced_share: float = Field(
        default=0.0, ge=0, le=1, description="So many of the signals are told to OpenTelemetry as traces."
    )
    score_after_seconds: float = Field(
        default=1.0, gt=0, description="The scorer looks for closed minutes this often."
    )
    train_after_seconds: float = Field(
        default=86_400.0, gt=0, description="The scheduler has a model trained anew this often."
    )
    train_days: float = Field(
        default=30.0, gt=0, description="On so many days before an instrument's newest minute, at most."
    )
    train_least_minutes: int = Field(
        default=720, ge=1, description="And not before there are so many minutes with trades."
    )
    partitions_ahead_days: int = Field(
        default=3, ge=1, description="The scheduler keeps this many day partitions ready after today."
    )
    verify_hour: int = Field(
        default=2, ge=0, le=23, description="The hour, UTC, at which the scheduler verifies the day before."
    )
