"""Whatever goes wrong, a command ends with one sentence and a status, never with a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

from heliograph.endings import INTERRUPTED, MISCONFIGURED, MISTYPED, ending
from market.errors import ConfigurationError, StackError
from tests.heliograph.test_cli import ROOT, heliograph


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a command ended with."""
    (line,) = done.stderr.splitlines()
    assert line.startswith("heliograph: ")
    return line


@pytest.mark.parametrize(
    ("variable", "value", "wanted"),
    [
        ("HELIOGRAPH_API_PORT", "abc", "unset it for 8000"),
        ("HELIOGRAPH_LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("HELIOGRAPH_LIVE_WORKERS", "0", "greater than or equal to 1"),
        ("HELIOGRAPH_SIMULATED", "maybe", "boolean"),
        ("HELIOGRAPH_DATABASE_SHARDS", "0", "unset it for 8"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named_with_its_remedy(
    variable: str, value: str, wanted: str
) -> None:
    done = heliograph("config", **{variable: value})
    assert MISCONFIGURED == done.returncode
    assert f"{variable}={value}: " in sentence(done)
    assert wanted in done.stderr


@pytest.mark.parametrize(
    ("feeds", "wanted"),
    [
        ("foo", "not JSON"),
        ('[{"venue": "krakn", "symbols": ["SOL/USD"]}]', "did you mean kraken?"),
        ('[{"venue": "kraken", "symbols": ["BTCUSD"]}]', "did you mean BTC/USD?"),
        ('[{"venue": "kraken"}]', "field required at 0.symbols"),
    ],
)
def test_feeds_that_cannot_be_are_named(feeds: str, wanted: str) -> None:
    done = heliograph("config", HELIOGRAPH_INGEST_FEEDS=feeds)
    assert MISCONFIGURED == done.returncode
    assert "HELIOGRAPH_INGEST_FEEDS" in sentence(done)
    assert wanted in done.stderr


@pytest.mark.parametrize("role", ["api", "scheduler", "ingest live", "worker live", "worker backfill"])
def test_a_role_that_is_misconfigured_says_so_in_one_line(role: str) -> None:
    done = heliograph(*role.split(), HELIOGRAPH_LOG_FORMAT="pretty")
    assert (MISCONFIGURED, True) == (done.returncode, "HELIOGRAPH_LOG_FORMAT=pretty" in sentence(done))


@pytest.mark.parametrize(
    ("variable", "secret"),
    [("HELIOGRAPH_DATABASE_URL", "host=db password=hunter2"), ("HELIOGRAPH_REDIS_URL", "http://x:hunter2@")],
)
def test_an_address_that_is_none_is_not_repeated(variable: str, secret: str) -> None:
    done = heliograph("db", "status", **{variable: secret}) if "DATABASE" in variable else None
    done = done or heliograph("config", **{variable: secret})
    assert MISCONFIGURED == done.returncode
    assert variable in sentence(done)
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [("up", "--prot", "1"), ("nonsense",), ("replay", "none.gz", "--venue", "kraken"), ("tail",)]
)
def test_what_was_mistyped_is_one_line(arguments: tuple[str, ...]) -> None:
    done = heliograph(*arguments)
    assert MISTYPED == done.returncode
    assert "--help` says more" in sentence(done)


def test_a_group_without_a_command_shows_its_help() -> None:
    done = heliograph("db")
    assert (MISTYPED, True) == (done.returncode, done.stderr.startswith("Usage: heliograph db"))


def test_failures_side_by_side_are_told_once_each(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        inner = ExceptionGroup("inner", [StackError("one"), ConfigurationError("two")])
        message = "outer"
        raise ExceptionGroup(message, [StackError("one"), inner])

    assert MISCONFIGURED == ending(fail)
    assert "heliograph: one\nheliograph: two\n" == capsys.readouterr().err


def test_what_nobody_expected_is_raised_on() -> None:
    def fail() -> None:
        message = "side by side"
        raise ExceptionGroup(message, [StackError("one"), ZeroDivisionError()])

    with pytest.raises(ExceptionGroup):
        ending(fail)


def test_a_file_that_cannot_be_used_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert 1 == ending((tmp_path / "none").read_text)
    assert f"heliograph: cannot use {tmp_path}/none: No such file or directory\n" == capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error() -> None:
    source = "import sys; from heliograph.endings import ending; sys.exit(ending(lambda: print('x' * 99999)))"
    with subprocess.Popen(
        [sys.executable, "-c", source], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert b"" == process.stderr.read()


def test_ctrl_c_at_the_very_beginning_is_silent() -> None:
    source = """
import os, signal, sys
from heliograph import __main__ as program
class Importing:
    def find_spec(self, name, path=None, target=None):
        if name == "heliograph.cli":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Importing())
program.main()
"""
    done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, check=False)
    assert (INTERRUPTED, b"") == (done.returncode, done.stderr)
