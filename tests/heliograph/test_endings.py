"""Whatever goes wrong, a command ends with one sentence and a status, never with a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

from heliograph.data_folders import default_folder
from heliograph.endings import INTERRUPTED, MISCONFIGURED, MISTYPED, ending
from market.errors import ConfigurationError, StackError
from tests.heliograph.test_cli import ROOT, heliograph

pytestmark = pytest.mark.slow


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


REFUSED: list[tuple[tuple[str, ...], str]] = [
    (("up", "--port", "99999"), "from 1 to 65535"),
    (("up", "--port", "-5"), "from 1 to 65535"),
    (("up", "--venue", "foo:BTC/USD"), "there are: binance, coinbase, kraken"),
    (("up", "--venue", "krakn:BTC/USD"), "did you mean kraken?"),
    (("up", "--venue", "kraken:BTCUSD"), "did you mean BTC/USD?"),
    (("up", "--venue", "kraken:BTC/USD:USD"), "did you mean BTC/USD?"),
    (("up", "--venue", "kraken:SOL/USD", "--venue", "kraken:BTC/USD,SOL/USD"), "SOL/USD is named twice"),
    (("demo", "--seconds", "-5"), "from 0, which means until Ctrl-C"),
    (("demo", "--seconds", "nan"), "from 0, which means until Ctrl-C"),
    (("demo", "--rate", "0"), "above 0"),
    (("demo", "--rate", "-3"), "above 0"),
    (("demo", "--report", "/nowhere/at/all.json"), "/nowhere/at is no folder"),
    (("demo", "--report", "."), "is a folder"),
    (("tail", "signals:*:*", "--url", "foo"), "like http://127.0.0.1:8000"),
    (("health", "worker"), "there are api, "),
]


@pytest.mark.parametrize(("arguments", "wanted"), REFUSED, ids=lambda each: str(each)[:40])
def test_what_cannot_be_meant_is_refused_before_anything_starts(
    arguments: tuple[str, ...], wanted: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    done = heliograph(*arguments, HELIOGRAPH_DATA_DIR=str(folder), XDG_DATA_HOME=str(folder))
    assert MISTYPED == done.returncode
    assert wanted in sentence(done)
    assert not folder.exists()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A trade of Binance, as one of the recorders writes it."""
    file = tmp_path / "binance"
    data = '{"e":"trade","E":1733270400000,"s":"BTCUSDT","t":1,"p":"1.0","q":"1","T":1733270400000,"m":true}'
    file.write_text(f'1733270400000000000 {{"stream":"btcusdt@trade","data":{data}}}\n')
    return file


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("--venue", "krakn"), "did you mean kraken?"),
        (("--venue", "kraken"), "no trade, quote, or depth of kraken; check the venue's name"),
        (("--venue", "binance", "--speed", "fast"), "neither a positive number nor 'max'"),
        (("--venue", "binance", "--port", "70000"), "from 1 to 65535"),
    ],
)
def test_a_replay_that_cannot_be_starts_nothing(
    arguments: tuple[str, ...], wanted: str, recording: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    done = heliograph("replay", str(recording), *arguments, "--data-dir", str(folder))
    assert MISTYPED == done.returncode
    assert wanted in sentence(done)
    assert not folder.exists()


def test_a_file_that_is_no_recording_is_named(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("once upon a time\n")
    done = heliograph(
        "replay", str(tmp_path / "text"), "--venue", "kraken", "--data-dir", str(tmp_path / "d")
    )
    assert MISTYPED == done.returncode
    assert "not a recording of hftbacktest or cryptofeed" in sentence(done)


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = heliograph("up", "--data-dir", str(tmp_path / "file"), "--port", "0")
    assert 1 == done.returncode
    assert f"cannot use {tmp_path}/file: File exists; choose another --data-dir" in sentence(done)


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_arguments: object, **_options: object) -> Path:
        message = "could not determine the home directory"
        raise RuntimeError(message)

    monkeypatch.setattr("platformdirs.user_data_path", nowhere)
    with pytest.raises(StackError, match="set HOME, or choose a --data-dir"):
        default_folder("demo")
