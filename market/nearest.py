"""What somebody may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_ALTERNATIVES: Final = 3


def suggestion(given: str, known: Iterable[str]) -> str:
    """Return a question that names what is nearest to ``given``, or nothing where nothing is near."""
    folded = {each.casefold(): each for each in known}
    near = [folded[each] for each in get_close_matches(given.casefold(), folded, _ALTERNATIVES)]
    return f"did you mean {' or '.join(near)}?" if near else ""
