"""The client's page is true: its examples run, its errors are those that there are."""

import asyncio
import json
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from heliograph_client import errors
from heliograph_client.errors import ClientError
from heliograph_client.events import Frame, event_of
from tests.api.peers import WITHIN_SECONDS, Served
from tests.client.telling import Teller

ROOT = Path(__file__).parents[2]
README = ROOT / "client" / "README.md"
ADDRESS = "http://127.0.0.1:8000"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
FRAMES = re.findall(r"^\{\"op\".*\}$", (ROOT / "docs" / "stream.md").read_text(), re.MULTILINE)
FIVE_LINES = EXAMPLES[:2]


async def started(code: str, address: str, folder: Path) -> asyncio.subprocess.Process:
    assert ADDRESS in code
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-W", "error", "-c", code.replace(ADDRESS, address)),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "client")},
        stdout=asyncio.subprocess.PIPE,
    )


@pytest.mark.slow
@pytest.mark.parametrize("code", [code for code in EXAMPLES if ".stream(" not in code])
async def test_examples_of_history_run_and_print(code: str, signalled: Served, tmp_path: Path) -> None:
    program = await started(code, signalled.url, tmp_path)
    printed, _ = await asyncio.wait_for(program.communicate(), WITHIN_SECONDS)
    assert 0 == program.returncode
    assert printed.strip()


@pytest.mark.slow
@pytest.mark.parametrize("code", [code for code in EXAMPLES if ".stream(" in code])
async def test_examples_of_streams_run_and_print(
    code: str, served: Served, teller: Teller, tmp_path: Path
) -> None:
    program = await started(code, served.url, tmp_path)
    enough = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(tell_on(teller, enough))
        try:
            lines = await two_lines(program)
        finally:
            enough.set()
            program.kill()
            await program.wait()
    assert 2 == len(lines), (teller.told, lines)
    [first, second] = [line.split() for line in lines]
    assert [b"bars:kraken:SOL/USD"] * 2 == [first[0], second[0]]
    assert int(first[1]) + 1 == int(second[1])


async def two_lines(program: asyncio.subprocess.Process) -> list[bytes]:
    """Return what a program prints first; what it did not print in time is missing."""
    assert program.stdout is not None
    lines: list[bytes] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(WITHIN_SECONDS):
            while len(lines) < 2:
                lines.append(await program.stdout.readline())
    return lines


async def tell_on(teller: Teller, enough: asyncio.Event) -> None:
    while not enough.is_set():
        await teller.tell()
        await asyncio.sleep(0.01)


def test_five_lines_are_enough() -> None:
    assert max(len(code.splitlines()) for code in FIVE_LINES) <= 5


def test_every_error_is_documented_and_drawn() -> None:
    own = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ClientError)]
    text, drawing = README.read_text(), errors.__doc__ or ""
    assert [] == [each for each in own if f"`{each.__name__}`" not in text]
    assert {each.__name__ for each in own} == set(re.findall(r"\w+Error", drawing))


@pytest.mark.parametrize("text", FRAMES)
def test_the_frames_of_the_streams_page_are_understood(text: str) -> None:
    frame = json.loads(text)
    data = frame.pop("data", None)
    event = event_of(Frame(**{name: frame[name] for name in frame if name in Frame.__struct_fields__}))
    assert (frame["op"], frame.get("channel", ""), frame.get("offset")) == (
        event.op,
        event.channel,
        event.offset,
    )
    assert data is None or isinstance(data, dict)
