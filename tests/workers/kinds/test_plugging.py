"""Kinds that other packages bring; the example in docs/plugin is installed as its user would."""

import json
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docs.plugin.heliograph_breakout import Breakout
from market.errors import ConfigurationError
from market.signals import Direction
from tests.workers.kinds.tapes import START, bar, random_bars, random_tape, told_of
from tests.workers.market import Market, claim_all, tape
from workers.claiming import Claimer
from workers.folding import Folder
from workers.kinds import plugging
from workers.kinds.catalogue import BUILT_IN
from workers.kinds.plugging import GROUP, plugged_in
from workers.kinds.rsi import Rsi

PACKAGE = Path(__file__).parents[3] / "docs" / "plugin"
PAGE = PACKAGE.parent / "plug-ins.md"
EVERY = Folder([*BUILT_IN, Breakout()])

_OFFLINE = ("--no-deps", "--no-index", "--no-build-isolation")

PROGRAM = """
import json
from tests.workers.kinds.tapes import random_tape
from workers.folding import Folder
from workers.kinds.catalogue import KINDS
folder = Folder(KINDS)
signals = [each.signal for each in folder.fold(folder.start(), random_tape(5, 900)).signals]
print(json.dumps([[fold.kind for fold in KINDS], [each.ts for each in signals if each.kind == "breakout"]]))
"""


@pytest.mark.slow
def test_an_installed_package_is_folded_with_the_others(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for file in ("pyproject.toml", "heliograph_breakout/__init__.py"):
        (source / file).parent.mkdir(exist_ok=True)
        (source / file).write_bytes((PACKAGE / file).read_bytes())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", *_OFFLINE]
    subprocess.run([*pip, "--target", tmp_path / "site", source], check=True, timeout=120)
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": f"{Path.cwd()}:{tmp_path / 'site'}"},
        check=True,
        capture_output=True,
        timeout=60,
    )
    kinds, times = json.loads(told.stdout)
    here = EVERY.fold(EVERY.start(), random_tape(5, 900)).signals
    assert [*(fold.kind for fold in BUILT_IN), "breakout"] == kinds
    assert [each.signal.ts for each in here if each.signal.kind == "breakout"] == times != []


def test_a_breakout_is_measured_from_the_edge_of_the_range() -> None:
    quiet = [bar(second, 100.0 + second % 2) for second in range(61)]
    signals = told_of(Breakout(), [*quiet, bar(61, 102.01), bar(62, 100.5)])
    assert [Direction.UP, Direction.ENDED] == [signal.direction for signal in signals]
    expected = {"high": 101.0, "low": 100.0, "breakout_bps": pytest.approx(1.01 / 102.01 * 10_000)}
    assert expected == signals[0].evidence
    assert (1.0, START + 62 * 1_000_000) == (signals[0].strength, signals[0].ts)


@pytest.mark.slow
@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), share=st.floats(0.0, 0.5))
def test_the_example_forgets_what_it_says_it_does(seed: int, share: float) -> None:
    fold, items = Breakout(), random_bars(seed, 1500)
    first = int(share * len(items))
    settled = items[first + fold.memory.items].end + fold.memory.span
    whole, cut = told_of(fold, items), told_of(fold, items[first:])
    assert [s for s in whole if s.ts >= settled] == [s for s in cut if s.ts >= settled]


async def test_a_claim_stores_and_publishes_what_a_plug_in_tells(market: Market) -> None:
    async with market.writing() as writer, market.working() as connection:
        await writer.store(tape(market.ids[0], 8000))
        await claim_all(Claimer(EVERY, lambda: 0, "test"), connection)
        stored = await connection.fetchval("SELECT count(*) FROM signals WHERE kind = 'breakout'")
        published = "SELECT count(*) FROM publications WHERE about = 'breakout'"
        assert stored == await connection.fetchval(published) > 0


def test_the_page_shows_the_package_as_it_is() -> None:
    for file in ("pyproject.toml", "heliograph_breakout/__init__.py"):
        assert (PACKAGE / file).read_text() in PAGE.read_text()


class Odd(Rsi, frozen=True):
    """A kind under a name that no kind may have."""

    kind = "Odd One"


class Unwritten(Rsi, frozen=True):
    """A kind whose state cannot be stored."""

    kind = "unwritten"

    def start(self) -> Any:  # noqa: ANN401 - whatever a package brings
        return object()


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("nowhere:Kind", "ModuleNotFoundError: No module named 'nowhere'"),
        ("workers.kinds.rsi:Rsi", "a kind 'rsi' exists already"),
        ("json:dumps", "it is no kind of signal: it has no kind, version, "),
        (f"{__name__}:Odd", "'Odd One' is no name of a kind"),
        (f"{__name__}:Unwritten", "unwritten cannot be computed with "),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, value: str, fault: str
) -> None:
    point = EntryPoint("mine", value, GROUP)
    monkeypatch.setattr(plugging, "entry_points", lambda **_: [point])
    monkeypatch.setitem(sys.modules, __name__, SimpleNamespace(Odd=Odd, Unwritten=Unwritten))
    with pytest.raises(ConfigurationError) as refused:
        plugged_in(BUILT_IN)
    assert f"the plug-in mine ({value}) cannot be used: {fault}" in str(refused.value)
