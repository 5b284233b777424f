"""The error tree, as drawn and as coded."""

from collections.abc import Iterator

from market import errors
from market.errors import HeliographError


def branches(error: type[HeliographError], before: str = "") -> Iterator[str]:
    """Draw what is derived from ``error``."""
    below = error.__subclasses__()
    for one in below:
        mark, beside = ("└── ", "    ") if one is below[-1] else ("├── ", "│   ")
        yield before + mark + one.__name__
        yield from branches(one, before + beside)


def test_the_drawing_is_the_code() -> None:
    lines = (errors.__doc__ or "").splitlines()
    drawn = [line.removeprefix("    ") for line in lines if line.startswith("    ")]
    coded = ["HeliographError", *branches(HeliographError)]
    assert coded == drawn


def test_every_error_has_a_sentence_of_its_own() -> None:
    classes = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)]
    assert len(classes) == len({one.__doc__ for one in classes})


def test_every_error_is_declared_in_the_one_place() -> None:
    def below(error: type[HeliographError]) -> list[type[HeliographError]]:
        return [error, *(deeper for one in error.__subclasses__() for deeper in below(one))]

    assert {"market.errors"} == {one.__module__ for one in below(HeliographError)}
