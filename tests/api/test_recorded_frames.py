"""Frames of v1 as they were once recorded. None of these lines may ever be changed; more may be added."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api import frames
from api.asyncapi import ASKED, TOLD, op_of
from api.formats import Format
from api.published import Published

_FILE = Path(__file__).parent / "recorded" / "v1.jsonl"
RECORDED = [json.loads(line) for line in _FILE.read_text().splitlines()]
ASKED_THEN = [line for line in RECORDED if line["from"] == "subscriber"]
TOLD_THEN = [line for line in RECORDED if line["from"] == "server"]

Told = frames.Outgoing | Published


def holds(now: Any, then: Any) -> bool:  # noqa: ANN401 - any value of JSON
    """Tell whether everything that was said then is said now; what was added since is of no matter."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(key in now and holds(now[key], then[key]) for key in then)
    if isinstance(then, list):
        return len(now) == len(then) and all(map(holds, now, then))
    return bool(now == then)


@pytest.mark.parametrize("line", ASKED_THEN, ids=lambda line: line["json"][:40])
def test_what_subscribers_sent_then_is_understood_now(line: dict[str, str]) -> None:
    text, packed = line["json"], bytes.fromhex(line["msgpack"])
    understood = frames.decode(text)
    assert understood == frames.decode(packed, Format.MSGPACK)
    assert holds(msgspec.to_builtins(understood), json.loads(text))


@pytest.mark.parametrize("line", TOLD_THEN, ids=lambda line: line["json"][:40])
def test_what_was_sent_then_is_what_the_types_say_now(line: dict[str, str]) -> None:
    text, packed = line["json"], bytes.fromhex(line["msgpack"])
    read = msgspec.json.decode(text, type=Told)
    assert read == msgspec.msgpack.decode(packed, type=Told)
    assert holds(json.loads(msgspec.json.encode(read)), json.loads(text))


def test_every_frame_is_on_record() -> None:
    recorded = {json.loads(line["json"])["op"] for line in RECORDED}
    assert {op_of(one) for one in (*ASKED, *TOLD)} == recorded
