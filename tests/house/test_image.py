"""The Dockerfile, as far as it can be judged without an engine."""

import re
import subprocess
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def kept(lock: str) -> set[str]:
    """Run the Dockerfile's own filter that writes ``lock`` and return the names that it keeps."""
    found = re.search(rf"^RUN (awk .*) > {re.escape(lock)}$", DOCKERFILE, re.MULTILINE)
    assert found is not None
    filtered = subprocess.run(["sh", "-c", found[1]], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(re.findall(r"^([\w.-]+)==", filtered.stdout, re.MULTILINE))


def names(requirements: list[str]) -> set[str]:
    parsed = map(Requirement, requirements)
    return {canonicalize_name(one.name) for one in parsed if one.marker is None or one.marker.evaluate()}


def test_what_is_installed_covers_what_the_project_needs() -> None:
    assert set() == names(PROJECT["dependencies"]) - kept("run.lock")


def test_the_embedded_stores_stay_out_of_the_image() -> None:
    assert set() == names(PROJECT["optional-dependencies"]["local"]) & kept("run.lock")


def test_what_builds_the_wheel_is_whole() -> None:
    assert {"hatchling"} | names(requires("hatchling") or []) == kept("build.lock")


@pytest.mark.parametrize("line", re.findall(r"^RUN .*install .*--requirement.*$", DOCKERFILE, re.MULTILINE))
def test_packages_come_from_the_locks_with_their_hashes(line: str) -> None:
    assert "--require-hashes" in line


def test_the_image_is_debian_and_ends_as_an_ordinary_user() -> None:
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert ["python:3.11-slim", "python:3.11-slim"] == stages
    assert ["heliograph"] == re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)


def test_every_package_of_the_wheel_reaches_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set() == {f"!{package}" for package in wheel["packages"]} - set(ignored)
