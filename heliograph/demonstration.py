"""What the demonstration plays: a made-up market, and what goes wrong at it."""

from collections.abc import Sequence
from typing import NamedTuple

from typer import BadParameter


class Market(NamedTuple):
    """A market that is made up, for ever if ``seconds`` is 0, and faults like ``gap@10s``."""

    venue: str
    seconds: float
    seed: int
    rate: float
    profile: str | None = None
    faults: Sequence[str] = ()

    def arguments(self) -> list[str]:
        """Return the arguments of the simulated venue."""
        pace = ("--rate", str(self.rate)) if self.profile is None else ("--profile", self.profile)
        return [
            *("--venue", self.venue, "--generate", "--seed", str(self.seed)),
            *("--seconds", str(self.seconds), *pace),
            *(word for fault in self.faults for word in ("--fault", fault)),
        ]


def profile(name: str | None) -> str | None:
    """Refuse a profile that there is not."""
    from sim.profiles import NAMES

    if name is not None and name not in NAMES:
        message = f"{name!r} is no profile; there is {', '.join(NAMES)}"
        raise BadParameter(message)
    return name


def faults(scripts: list[str] | None) -> list[str] | None:
    """Refuse faults that cannot be."""
    from market.errors import InvalidInputError
    from sim.faults.orders import from_script

    try:
        for script in scripts or ():
            from_script(script)
    except InvalidInputError as error:
        raise BadParameter(str(error)) from error
    return scripts
