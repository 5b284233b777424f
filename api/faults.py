"""What is wrong in the house though everything answers: stopped, failed, different, or lost."""

from collections.abc import Iterator

from db.overview import Overview

_OLD_REPAIR_SECONDS = 900.0


def faults(seen: Overview) -> Iterator[str]:
    """Say what somebody has to see to."""
    if seen.repairs.quarantines:
        yield f"{seen.repairs.quarantines} kinds of signal are stopped for an instrument: see dead letters"
    if seen.repairs.oldest_seconds > _OLD_REPAIR_SECONDS:
        yield f"repairs have waited for {seen.repairs.oldest_seconds:.0f} s"
    for name in seen.failed_chores:
        yield f"the chore {name} failed when it was run last: heliograph schedule list"
    if seen.differences:
        yield f"{seen.differences} stored rows are not what the tape says: see /v1/verifications"


def notes(seen: Overview) -> Iterator[str]:
    """Say what is known to be so and cannot be mended."""
    if seen.gaps.unrecoverable:
        yield f"{seen.gaps.unrecoverable} gaps are unrecoverable: no venue has what they lack"
