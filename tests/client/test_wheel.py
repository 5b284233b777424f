"""The client's own distribution, in an environment that has nothing else."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.peers import WITHIN_SECONDS, Served
from tests.client.test_documents import ADDRESS, FIVE_LINES

pytestmark = pytest.mark.slow

CLIENT = Path(__file__).parents[2] / "client"
BUILD_SECONDS = 300
NEEDED = {"heliograph-client", "httpx", "msgspec", "websockets"}
INDIRECT = {"anyio", "certifi", "h11", "httpcore", "idna", "sniffio", "typing_extensions"}
TOOLS = {"pip", "setuptools"}


def run(*command: str | Path) -> str:
    """Run a program that sees nothing of this tree, and return what it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False, env=environment
    )
    assert 0 == ended.returncode, ended.stdout + ended.stderr
    return ended.stdout


def installed(folder: Path) -> Path:
    """Build the wheel, install it into an environment of its own, and return that one's Python."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, CLIENT)
    run(sys.executable, "-m", "venv", folder / "venv")
    [wheel] = folder.glob("heliograph_client-*.whl")
    python = folder / "venv" / "bin" / "python"
    run(python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", wheel)
    return python


async def test_five_lines_run_where_only_the_client_is_installed(folded: Served, tmp_path: Path) -> None:
    python = await asyncio.to_thread(installed, tmp_path)
    listed = run(python, "-m", "pip", "--disable-pip-version-check", "list", "--format", "freeze")
    names = {line.partition("==")[0] for line in listed.splitlines()}
    assert names >= NEEDED
    assert set() == names - NEEDED - INDIRECT - TOOLS
    code = FIVE_LINES[0].replace(ADDRESS, folded.url)
    printed = await asyncio.wait_for(asyncio.to_thread(run, python, "-I", "-c", code), WITHIN_SECONDS)
    assert len(await bars(folded)) == len(printed.splitlines()) > 0
    typed = python.parent.parent.glob("lib/*/site-packages/heliograph_client/py.typed")
    assert 1 == len(list(typed))


async def bars(served: Served) -> list[object]:
    answer = await served.get("/v1/bars", exchange="kraken", symbol="SOL/USD")
    return list(answer["data"])
