import json

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
