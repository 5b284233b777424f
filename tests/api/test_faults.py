"""What answers and is wrong all the same is said."""

from api.faults import faults, notes
from db.overview import Gaps, Overview, Queue, Repairs

SOUND = Overview(
    sockets=[],
    unheard=[],
    processes=[],
    ingesters=[],
    queue=Queue(batches=0, ticks=0, oldest_seconds=0),
    repairs=Repairs(dirty=1, staged=0, oldest_seconds=5, quarantines=0),
    gaps=Gaps(open=1, healing=1, unrecoverable=0),
    failed_chores=[],
    differences=0,
)
ILL = Overview(
    sockets=[],
    unheard=[],
    processes=[],
    ingesters=[],
    queue=Queue(batches=0, ticks=0, oldest_seconds=0),
    repairs=Repairs(dirty=1, staged=0, oldest_seconds=1000, quarantines=2),
    gaps=Gaps(open=0, healing=0, unrecoverable=3),
    failed_chores=["verify"],
    differences=4,
)


def test_nothing_is_said_of_a_house_that_is_sound() -> None:
    assert [] == [*faults(SOUND), *notes(SOUND)]


def test_what_is_stopped_old_failed_different_or_lost_is_said() -> None:
    assert ["2 kinds", "repairs have", "the chore", "4 stored"] == [
        " ".join(each.split()[:2]) for each in faults(ILL)
    ]
    assert ["3 gaps are unrecoverable: no venue has what they lack"] == list(notes(ILL))
