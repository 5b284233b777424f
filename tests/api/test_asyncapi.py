"""What is documented of the stream is what is spoken."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from api import frames
from api.asyncapi import ASKED, TOLD, document, op_of
from api.documented import EXAMPLES
from api.formats import Format
from api.published import BarData, DepthData, GapData, Published, QuoteData, SignalData, TradeData
from ingest.latest import latest_of
from market.bars import Bar
from market.batches import Span
from market.channels import Family
from market.depths import Depth
from market.gaps import TRADES, Cause, Gap, GapState
from market.quotes import Quote
from market.signals import Delivery, Direction, Journey, Signal
from market.texts import Name, bar_text, gap_text, signal_text
from market.ticks import Kind, Place
from market.times import SECOND
from market.trades import Side, Trade
from tests.api.peers import Served, Worker

STREAM = Path(__file__).parents[2] / "docs" / "stream.md"
NAME = Name("kraken", "SOL/USD")
TS = 1_723_161_255 * SECOND

decode = msgspec.json.Decoder(frames.Outgoing | Published).decode


def described() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(document())
    return found


def resolved(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": described()["components"]})


@pytest.mark.parametrize("op", [op_of(one) for one in ASKED])
@pytest.mark.parametrize("format_", list(Format))
def test_every_documented_question_is_understood(op: str, format_: Format) -> None:
    for example in EXAMPLES[op]:
        packed = format_ is Format.MSGPACK
        said = msgspec.msgpack.encode(example) if packed else msgspec.json.encode(example).decode()
        understood = msgspec.to_builtins(frames.decode(said, format_))
        assert example == {key: understood[key] for key in example if key != "channels"} | {
            "channels": example["channels"]
        }


@pytest.mark.parametrize("op", [op_of(one) for one in TOLD])
def test_every_documented_answer_is_one_of_ours_and_nothing_in_it_is_unknown(op: str) -> None:
    for example in EXAMPLES[op]:
        assert example == json.loads(msgspec.json.encode(decode(msgspec.json.encode(example))))


def test_every_example_fits_its_schema() -> None:
    messages = described()["components"]["messages"]
    assert {op_of(one) for one in (*ASKED, *TOLD)} == set(messages)
    for message in messages.values():
        for example in message["examples"]:
            resolved(message["payload"]).validate(example["payload"])


def test_every_reference_leads_somewhere() -> None:
    whole = described()
    for reference in re.findall(r'"\$ref":"#/([^"]+)"', document().decode()):
        found = whole
        for part in reference.split("/"):
            found = found[part]
        assert found


def test_every_frame_that_the_page_shows_is_one_of_ours() -> None:
    shown = [json.loads(line) for line in re.findall(r'^\{"op".*\}$', STREAM.read_text(), re.MULTILINE)]
    known = described()["components"]["messages"]
    assert {frame["op"] for frame in shown} <= set(known)
    blocks = re.findall(
        r'^```json\n(\{"op": "subscribe".*?)\n```', STREAM.read_text(), re.MULTILINE | re.DOTALL
    )
    questions = [json.loads(each) for block in blocks for each in re.split(r"\n(?=\{)", block)]
    assert {"subscribe", "unsubscribe"} == {frame["op"] for frame in questions}
    for question in questions:
        frames.decode(json.dumps(question))


def same(text: str, of: type[Any]) -> bool:
    """Tell whether a type knows all of a text, and nothing else."""
    return bool(json.loads(text) == json.loads(msgspec.json.encode(msgspec.json.decode(text, type=of))))


def test_what_is_told_is_what_the_types_say() -> None:
    place = Place(TS, 7)
    signal = Signal(
        kind="rsi",
        version=1,
        ts=TS,
        direction=Direction.UP,
        strength=0.5,
        confidence=1.0,
        price=1.5,
        evidence={"rsi": 70.0},
        from_ts=TS,
        to_ts=TS,
        first=place,
        last=place,
        parameters={"bars": 14},
    )
    delivery = Delivery(1.0, TS, TS, "0.1.0", Journey(TS, TS, None, TS))
    bar = Bar(SECOND, TS, 0.1, 0.3, 0.1, 0.3, 1.0, 2.0, 1.0, 1.0, 3)
    gap = Gap(
        gap_id=3,
        instrument_id=7,
        kind=TRADES,
        cause=Cause.BOOK,
        state=GapState.OPEN,
        from_ts=TS,
        to_ts=TS,
        after_id=1,
        before_id=None,
        job_id=1,
        opened_at=TS,
        closed_at=None,
        detail="",
    )
    assert same(signal_text(NAME, signal, delivery), SignalData)
    assert same(bar_text(NAME, bar, 1.0, "live"), BarData)
    assert same(gap_text(NAME, gap), GapData)


async def test_the_newest_ticks_are_what_the_types_say(worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    id_ = sol.instrument_id
    ticks: list[Trade | Quote | Depth] = [
        Trade(id_, TS, 7, 1.5, 2.0, Side.BUY, TS),
        Quote(id_, TS, 7, 1.5, float("nan"), 1.75, 2.0, TS),
        Depth(id_, TS, 7, (1.5,), (2.0,), (), (), TS),
    ]
    spans = [Span(kind, TS, 7, TS, 7, 1) for kind in (Kind.TRADE, Kind.QUOTE, Kind.DEPTH)]
    told = {each.family: each.data for each in latest_of(ticks, {id_: spans}, {id_: sol})}
    types = {Family.TRADES: TradeData, Family.QUOTES: QuoteData, Family.DEPTH: DepthData}
    assert [] == [family for family, of in types.items() if not same(told[family], of)]


async def test_the_document_is_served(served: Served) -> None:
    answer = await served.http.get("/asyncapi.json")
    assert ("3.0.0", "application/json") == (answer.json()["asyncapi"], answer.headers["content-type"])
