"""What goes wrong has a number, and the documents say which."""

from pathlib import Path

from api.refusals import BY_ERROR, EVERY, HTTP, Refusal, of
from market.errors import HeliographError, StoreConflictError
from tests.api.peers import Served

API = Path(__file__).parents[2] / "docs" / "api.md"


def row(refusal: Refusal) -> str:
    status = "404, 405, 426, ..." if refusal is HTTP else str(int(refusal.status))
    return f"| {refusal.code} | `{refusal.name}` | {status} |"


def test_every_problem_is_documented_with_its_number() -> None:
    rows = ["|".join(line.split("|")[:4]) + "|" for line in table()]
    assert sorted(row(refusal) for refusal in EVERY) == sorted(rows)


def table() -> list[str]:
    """Return the lines of the table of problems."""
    lines = API.read_text().splitlines()
    begin = lines.index("| code | type ends in | status | meaning |") + 2
    end = next(at for at, line in enumerate(lines) if at > begin and not line.startswith("|"))
    return lines[begin:end]


def test_no_two_problems_share_a_number_or_a_name() -> None:
    assert len(EVERY) == len({each.code for each in EVERY}) == len({each.name for each in EVERY})


def test_an_error_without_a_row_is_told_as_what_it_derives_from() -> None:
    assert BY_ERROR[HeliographError] is of(StoreConflictError("twice"))


def test_only_our_own_errors_have_a_row() -> None:
    assert {"market.errors"} == {error.__module__ for error in BY_ERROR}


async def test_a_problem_says_its_number(served: Served) -> None:
    numbers = {
        path: (await served.http.get(path)).json()["code"]
        for path in ("/v1/nothing", "/v1/trades", "/v1/trades?exchange=nowhere", "/v1/signals/a:b:c:1:1")
    }
    assert [2501, 2001, 2002, 2002] == list(numbers.values())
