"""What is ordered to go wrong: ``KIND@T[+DURATION][:NAME=VALUE,..]``, or the same as JSON."""

import re
from typing import Any

import msgspec

from market.errors import InvalidInputError
from sim.faults import KINDS
from sim.faults.fault import Parameters

_SCRIPT = re.compile(r"(?P<kind>\w+)@(?P<at>[\d.]+\w*)(\+(?P<lasts>[\d.]+\w*))?(:(?P<parameters>.*))?")
_TIME = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|)")
_SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0}


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fault to come: when on the tape (None: now), for how long (None: as usual), and what it strikes."""

    kind: str
    at_seconds: float | None = None
    seconds: float | None = None
    parameters: dict[str, Any] = {}

    def understood(self) -> Parameters:
        """Return the parameters as the kind takes them; raises InvalidInputError."""
        if self.kind not in KINDS:
            message = f"no fault {self.kind!r} exists; choose one of {', '.join(KINDS)}"
            raise InvalidInputError(message)
        takes = KINDS[self.kind].takes
        try:
            return msgspec.convert(self.parameters, takes, strict=False)
        except msgspec.ValidationError as exc:
            named = ", ".join(takes.__struct_fields__) or "nothing"
            message = f"fault {self.kind} cannot be told {self.parameters} ({exc}); it takes {named}"
            raise InvalidInputError(message) from exc


def from_json(body: bytes) -> Order:
    """Return the order in a request; raises InvalidInputError."""
    try:
        return _checked(msgspec.json.decode(body, type=Order))
    except msgspec.DecodeError as exc:
        message = f'{exc}; send {{"kind": "gap", "seconds": 2, "parameters": {{}}}}'
        raise InvalidInputError(message) from exc


def from_script(text: str) -> Order:
    """Return the order in ``gap@10s`` or ``drop@5s+2s:share=0.1``; raises InvalidInputError."""
    found = _SCRIPT.fullmatch(text)
    if found is None:
        message = f"fault {text!r} is not KIND@T[+DURATION][:NAME=VALUE,..]; like drop@5s+2s:share=0.1"
        raise InvalidInputError(message)
    lasts = found["lasts"]
    parameters = dict(_pair(pair) for pair in (found["parameters"] or "").split(",") if pair)
    return _checked(
        Order(found["kind"], _seconds(found["at"]), _seconds(lasts) if lasts else None, parameters)
    )


def _checked(order: Order) -> Order:
    order.understood()
    return order


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value.strip()


def _seconds(text: str) -> float:
    found = _TIME.fullmatch(text)
    if found is None:
        message = f"time {text!r} is not like 10s, 500ms, or 2m"
        raise InvalidInputError(message)
    return float(found[1]) * _SECONDS[found[2]]
