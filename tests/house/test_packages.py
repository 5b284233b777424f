"""What is imported under our flat names is what lies here."""

import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

import heliograph_client

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
LOCKS = ["requirements.lock", "requirements-dev.lock"]


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_loads_from_this_repository(package: str) -> None:
    spec = find_spec(Path(package).name)
    assert spec is not None
    assert str(ROOT / package / "__init__.py") == spec.origin


def test_every_package_that_lies_here_is_in_the_wheel() -> None:
    beside = {"bench", "tests"}
    here = {
        str(file.parent.relative_to(ROOT))
        for way in ("*", "client/*")
        for file in ROOT.glob(f"{way}/__init__.py")
    }
    assert set(PACKAGES) == here - beside


def test_flat_names_are_never_uploaded() -> None:
    assert "Private :: Do Not Upload" in PROJECT["project"]["classifiers"]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_says_nothing_of_where_it_was_made(lock: str) -> None:
    assert [] == re.findall(r".*(?:://|--index|--find-links|file:).*", (ROOT / lock).read_text())


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_an_exact_version_and_hashes(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip())
    loose = [entry for entry in entries if not re.match(r"\S+==\S+.*\\\n    --hash=sha256:", entry)]
    assert [] == loose


def test_the_two_locks_agree() -> None:
    """Line by line; but what only development needs may need a package on every platform."""
    run, dev = (set(re.findall(r"^\S+==.+", (ROOT / lock).read_text(), re.MULTILINE)) for lock in LOCKS)
    anywhere = {line for line in run if re.sub(r" ;.*(?= \\)", "", line) in dev}
    assert set() == run - dev - anywhere


def test_the_layers_name_every_package() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    named = {name.strip() for layer in layers for name in layer.split("|")}
    pages = {"web"}  # files for browsers; there is nothing in it to import
    assert {Path(package).name for package in PACKAGES} - pages == named


def test_the_client_is_a_distribution_of_its_own_with_the_version_and_licence_of_the_whole() -> None:
    own = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text())["project"]
    assert PROJECT["project"]["version"] == heliograph_client.__version__
    assert own["requires-python"] == PROJECT["project"]["requires-python"]
    assert set(own["dependencies"]) <= set(PROJECT["project"]["dependencies"])
    assert (ROOT / "LICENSE").read_bytes() == (ROOT / "client" / "LICENSE").read_bytes()
