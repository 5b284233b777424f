import json
import subprocess
import sys

import pytest
import structlog

from runtime import logs
from runtime.settings import RuntimeSettings


def test_an_event_is_a_line_of_json_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(RuntimeSettings(log_format="json"))
    structlog.get_logger("test").info("batch.claimed", shard=3, ticks=812)
    event = json.loads(capsys.readouterr().err)
    del event["timestamp"]
    assert event == {"event": "batch.claimed", "level": "info", "shard": 3, "ticks": 812}


def test_a_failure_tells_where_it_happened(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(RuntimeSettings(log_format="json"))
    try:
        int("three")
    except ValueError:
        structlog.get_logger("test").exception("fold.failed")
    assert "ValueError: invalid literal" in json.loads(capsys.readouterr().err)["exception"]


def test_what_is_below_the_level_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(RuntimeSettings(log_format="json", log_level="warning"))
    structlog.get_logger("test").info("batch.claimed")
    assert capsys.readouterr().err == ""


def test_people_get_words(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(RuntimeSettings(log_format="console"))
    structlog.get_logger("test").info("batch.claimed", shard=3)
    assert "batch.claimed" in capsys.readouterr().err


def test_a_logger_follows_each_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    logger = structlog.get_logger("test")
    logs.configure(RuntimeSettings(log_format="json", log_level="warning"))
    logger.info("batch.claimed")
    logs.configure(RuntimeSettings(log_format="json", log_level="info"))
    logger.info("batch.folded")
    assert json.loads(capsys.readouterr().err)["event"] == "batch.folded"


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return each line's event."""
    return [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]


def test_a_storm_of_one_event_is_bounded_and_hides_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(RuntimeSettings(log_format="json", log_lines=2))
    logger = structlog.get_logger("test")
    for _ in range(1000):
        logger.warning("writer.retrying")
    logger.warning("bus.unavailable")
    assert ["writer.retrying"] * 2 + ["bus.unavailable"] == lines(capsys)


def test_an_error_is_written_though_its_name_has_been_told_too_often_as_news(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure(RuntimeSettings(log_format="json", log_lines=2))
    logger = structlog.get_logger("test")
    for _ in range(9):
        logger.info("verification.done", differences=0)
    logger.error("verification.done", differences=4)
    assert 3 == len(lines(capsys))


def test_after_a_storm_it_is_said_how_many_lines_were_left_out() -> None:
    now, told = [0.0], list[tuple[str, str, int]]()
    bounded = logs.Bounded(1, lambda *left_out: told.append(left_out), lambda: now[0])
    storm = {"event": "writer.retrying"}
    assert storm == bounded(None, "warning", storm)
    for _ in range(7):
        with pytest.raises(structlog.DropEvent):
            bounded(None, "warning", storm)
    assert [] == told
    now[0] = 10.0
    bounded(None, "info", {"event": "another"})
    assert [("warning", "writer.retrying", 7)] == told


@pytest.mark.slow
def test_what_was_left_out_is_said_at_the_end_at_the_latest() -> None:
    program = """if True:
        import structlog
        from runtime import logs
        from runtime.settings import RuntimeSettings
        logs.configure(RuntimeSettings(log_format="json", log_lines=2))
        for _ in range(9):
            structlog.get_logger().warning("writer.retrying")
    """
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    last = json.loads(ended.stderr.splitlines()[-1])
    assert ("log.left_out", "warning", "writer.retrying", 7) == (
        last["event"],
        last["level"],
        last["name"],
        last["left_out"],
    )


def test_without_a_bound_every_line_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(RuntimeSettings(log_format="json", log_lines=0))
    for _ in range(300):
        structlog.get_logger("test").info("batch.claimed")
    assert 300 == len(lines(capsys))
