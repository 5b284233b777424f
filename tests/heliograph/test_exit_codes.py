import pytest

from db.schedules import DONE, FAILED, INTERRUPTED
from heliograph.schedules import exit_code


@pytest.mark.parametrize(
    ("state", "detach", "code"),
    [(DONE, False, 0), (FAILED, False, 1), (INTERRUPTED, False, 1), ("asked", True, 0)],
)
def test_a_run_that_is_waited_for_is_only_well_when_it_was_done(
    state: str, *, detach: bool, code: int
) -> None:
    assert code == exit_code(state, detach=detach)
