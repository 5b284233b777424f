"""docs/simulation.md tells every fault and every option as the code has them."""

import inspect
from pathlib import Path

import pytest

from sim.__main__ import _parser
from sim.faults import FAULTS
from sim.faults.fault import Fault

DOCUMENT = Path(__file__).parents[2] / "docs" / "simulation.md"


def lasts(fault: type[Fault]) -> str:
    if fault.lasts_seconds == float("inf"):
        return "until it is ended"
    return f"{fault.lasts_seconds:g} s" if fault.lasts_seconds else "an instant"


def parameters(fault: type[Fault]) -> str:
    takes = fault.takes
    known = zip(takes.__struct_fields__, takes.__struct_defaults__, strict=True)
    return ", ".join(f"`{name}={default}`" for name, default in known) or "none"


def row(fault: type[Fault]) -> str:
    does = (inspect.getdoc(fault) or "?").splitlines()[0]
    return f"| `{fault.kind}` | {parameters(fault)} | {lasts(fault)} | {does} | {fault.expected} |"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.kind))
def test_every_fault_is_documented(fault: type[Fault]) -> None:
    assert row(fault) in DOCUMENT.read_text().splitlines()


def test_every_option_is_documented() -> None:
    told = DOCUMENT.read_text()
    options = [f"`{option}`" for action in _parser()._actions for option in action.option_strings]
    assert [] == [option for option in options if option not in told and option not in ("`-h`", "`--help`")]
