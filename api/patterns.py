"""Patterns of symbols: ``*`` stands for any part of one, everything else for itself."""

import re
from collections.abc import Callable
from fnmatch import translate

from market.channels import WILDCARD


def is_pattern(text: str) -> bool:
    """Tell whether ``text`` may match several symbols."""
    return WILDCARD in text


def matcher(text: str) -> Callable[[str], bool]:
    """Return what tells whether a symbol matches; in time that grows little with the number of ``*``."""
    plain = text.replace("[", "[[]").replace("?", "[?]")
    compiled = re.compile(translate(plain))
    return lambda symbol: compiled.match(symbol) is not None
