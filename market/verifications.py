"""A verification: what is stored of a stretch, beside what its tape says."""

from typing import Any, Final

import msgspec

UNSETTLED: Final = "not settled"
UNREPAIRED: Final = "to be repaired"
QUARANTINED: Final = "in quarantine"
OTHER_VERSION: Final = "of another version"
UNKNOWN_KIND: Final = "of a kind that is not computed here"

Content = dict[str, Any]
"""A bar, or a signal, field by field."""


class Difference(msgspec.Struct, frozen=True):
    """One bar (``about``: its interval), signal, or indicator (``about``: its kind) that is wrong.

    ``stored`` is what stands there, None where nothing does; ``right`` is what should, None where nothing
    should. A kind that fails on the tape without being quarantined is a difference, too: ``noun`` is fold.
    """

    noun: str
    about: str
    ts: int
    stored: Content | None
    right: Content | None


class Unverified(msgspec.Struct, frozen=True):
    """A part, [from_ts, to_ts), that could not be judged yet, or not by this code."""

    reason: str
    from_ts: int
    to_ts: int
    about: str = ""


class Verification(msgspec.Struct, frozen=True):
    """What came of comparing [from_ts, to_ts) of one instrument: rows compared, and what was found."""

    from_ts: int
    to_ts: int
    bars: int = 0
    signals: int = 0
    indicators: int = 0
    differences: tuple[Difference, ...] = ()
    unverified: tuple[Unverified, ...] = ()

    def followed_by(self, later: "Verification") -> "Verification":
        """Return both as one; ``later`` begins where this ends."""
        return Verification(
            self.from_ts,
            later.to_ts,
            self.bars + later.bars,
            self.signals + later.signals,
            self.indicators + later.indicators,
            self.differences + later.differences,
            _joined(self.unverified + later.unverified),
        )


def _joined(parts: tuple[Unverified, ...]) -> tuple[Unverified, ...]:
    """Return the parts with those made one that are the same but for a cut between them."""
    joined: dict[tuple[str, str], list[Unverified]] = {}
    for part in parts:
        same = joined.setdefault((part.reason, part.about), [])
        if same and same[-1].to_ts >= part.from_ts:
            same[-1] = Unverified(part.reason, same[-1].from_ts, max(same[-1].to_ts, part.to_ts), part.about)
        else:
            same.append(part)
    return tuple(sorted((part for same in joined.values() for part in same), key=lambda part: part.from_ts))
