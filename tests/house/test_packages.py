"""What is imported under our flat names is what lies here."""

import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
LOCKS = ["requirements.lock", "requirements-dev.lock"]


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_loads_from_this_repository(package: str) -> None:
    spec = find_spec(package)
    assert spec is not None
    assert str(ROOT / package / "__init__.py") == spec.origin


def test_every_package_that_lies_here_is_in_the_wheel() -> None:
    beside = {"bench", "client", "tests"}
    here = {folder.parent.name for folder in ROOT.glob("*/__init__.py")}
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
    run, dev = (set(re.findall(r"^\S+==\S+.*", (ROOT / lock).read_text(), re.MULTILINE)) for lock in LOCKS)
    assert set() == run - dev


def test_the_layers_name_every_package() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    named = {name.strip() for layer in layers for name in layer.split("|")}
    pages = {"web"}  # files for browsers; there is nothing in it to import
    assert set(PACKAGES) - pages == named
