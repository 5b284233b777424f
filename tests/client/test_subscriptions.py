"""What a client takes for news, whatever its connections and the log do."""

import json
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import frames
from api.subscriptions import start
from db.publications import Bounds
from heliograph_client import MissedError, Position, ProtocolError
from heliograph_client.positions import matches
from heliograph_client.subscriptions import Channel, DisturbedError, Subscriptions

SOL, BTC = "bars:kraken:SOL/USD", "bars:kraken:BTC/USD"
DATA: dict[str, object] = {
    "exchange": "kraken",
    "symbol": "SOL/USD",
    "interval": "1s",
    "start": "2024-12-04T00:00:00.000000Z",
    **dict.fromkeys(("open", "high", "low", "close", "volume", "quote_volume"), 1.5),
    **dict.fromkeys(("buy_volume", "sell_volume"), 1),
    "trades": 3,
    "final": True,
    "coverage": 1.0,
    "source": "live",
}


def bar(offset: int, stream: str = SOL) -> str:
    return json.dumps({"op": "bar", "channel": stream, "offset": offset, "data": DATA})


def subscribed(*results: frames.Result) -> str:
    return msgspec.json.encode(frames.Subscribed(0, "a", list(results))).decode()


@dataclass
class Log:
    """What a server has of two streams, and decides as the API does."""

    epoch: int = 1
    first: int = 1
    heads: dict[str, int] = field(default_factory=lambda: {SOL: 0})

    def answer(self, request: str) -> tuple[str, list[str]]:
        """Return the frame that answers a subscribe frame, and what is replayed after it."""
        asked = frames.decode(request)
        assert isinstance(asked, frames.Subscribe)
        results, replayed = [], list[str]()
        for ask in asked.channels:
            missing: dict[str, tuple[int, int]] = {}
            offsets: dict[str, int] = {}
            for name in (name for name in self.heads if matches(ask.channel, name)):
                after = ask.after.get(name, 0) if isinstance(ask.after, dict) else ask.after
                same = asked.epoch in (None, str(self.epoch))
                bounds = Bounds(self.first, self.heads[name])
                begin = start(after, self.heads[name], bounds, same_log=same)
                offsets[name] = self.heads[name]
                missing |= {name: begin.missing} if begin.missing else {}
                recovered = begin.recovered
                replayed += [bar(number, name) for number in range(begin.offset + 1, self.heads[name] + 1)]
            results.append(
                frames.Result(ask.channel, offsets=offsets, recovered=not missing, missing=missing or None)
                if ask.channel.endswith("*")
                else frames.Result(
                    ask.channel, offset=offsets[ask.channel], recovered=recovered, missing=missing or None
                )
            )
        told = frames.Subscribed(asked.id, str(self.epoch), results)
        return msgspec.json.encode(told).decode(), replayed


@pytest.mark.slow
@given(
    st.sampled_from([[SOL], [SOL, BTC], ["bars:*:*"], ["bars:*"], ["bars:kraken:*"]]),
    st.lists(
        st.tuples(st.sampled_from([SOL, BTC]), st.integers(0, 4), st.integers(0, 9), st.booleans()),
        max_size=20,
    ),
    st.sets(st.integers(0, 19), max_size=2),
    st.sets(st.integers(0, 19), max_size=2),
)
def test_every_offset_is_told_once_in_order_or_named_as_missing(
    channels: list[str],
    rounds: list[tuple[str, int, int, bool]],
    restores: set[int],
    prunings: set[int],
) -> None:
    log = Log(heads=dict.fromkeys([SOL, *(name for name in channels if name == BTC)], 0))
    client = Subscriptions([Channel(name) for name in channels], Position())
    told: dict[str, list[tuple[int, int]]] = {SOL: [], BTC: []}
    excused: dict[str, set[tuple[int, int]]] = {SOL: set(), BTC: set()}
    begun: Log | None = None
    for number, (stream, published, heard, repeated) in enumerate(rounds):
        log.heads[stream] = log.heads.get(stream, 0) + published
        if number in restores:
            log = Log(log.epoch + 1, 1, {name: head // 2 for name, head in log.heads.items()})
        if number in prunings:
            log.first = min(log.heads.values()) + 1
        [request] = client.requests()
        answer, replayed = log.answer(request)
        try:
            client.take(answer)
        except MissedError as missed:
            for name, (first, last) in missed.missing.items():
                excused[name] |= {(log.epoch, offset) for offset in range(first, last + 1)}
            continue
        begun = begun or Log(log.epoch, log.first, dict(log.heads))
        for text in replayed[:heard] * (2 if repeated else 1):
            if (admitted := client.take(text)) and admitted.event and admitted.event.offset:
                told[admitted.event.channel].append((log.epoch, admitted.event.offset))
    for name, offsets in told.items():
        assert offsets == sorted(set(offsets))
        assert holes(name, offsets, begun) <= excused[name]


def holes(name: str, offsets: list[tuple[int, int]], begun: Log | None) -> set[tuple[int, int]]:
    """Return what was not told of a stream since the client subscribed, within one epoch each."""
    left = {
        (epoch, offset)
        for (epoch, one), (later, other) in pairwise(offsets)
        for offset in range(one + 1, other)
        if epoch == later
    }
    if begun and offsets and offsets[0][0] == begun.epoch:
        left |= {(begun.epoch, offset) for offset in range(begun.heads.get(name, 0) + 1, offsets[0][1])}
    return left


def test_a_hole_in_what_comes_is_not_gone_on_over() -> None:
    client = Subscriptions([Channel(SOL)], Position())
    client.take(subscribed(frames.Result(SOL, offset=3)))
    client.take(bar(4))
    with pytest.raises(DisturbedError, match="went from offset 4 to 6"):
        client.take(bar(6))
    assert {SOL: 4} == client.position.offsets


def test_a_server_that_cannot_answer_now_is_asked_again() -> None:
    client = Subscriptions([Channel(SOL)], Position())
    with pytest.raises(DisturbedError):
        client.take('{"op":"error","id":0,"code":1009,"fatal":false,"message":"busy"}')


def test_many_channels_are_asked_for_in_several_frames() -> None:
    client = Subscriptions([Channel(f"bars:kraken:C{number}/USD") for number in range(250)], Position())
    requests = [msgspec.json.decode(request) for request in client.requests()]
    assert [(0, 100), (100, 100), (200, 50)] == [(each["id"], len(each["channels"])) for each in requests]


def test_what_is_followed_by_the_newest_is_not_resumed() -> None:
    client = Subscriptions(
        [Channel("quotes:*:*", max_rate_ms=250), Channel(SOL, "latest"), Channel(SOL)], Position()
    )
    client.take(subscribed(frames.Result("quotes:*:*"), frames.Result(SOL), frames.Result(SOL, offset=3)))
    [request] = client.requests()
    assert [
        {"channel": "quotes:*:*", "max_rate_ms": 250},
        {"channel": SOL, "policy": "latest"},
        {"channel": SOL, "after": 3},
    ] == msgspec.json.decode(request)["channels"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"op":"bar","channel":"bars:a:b","offset":1,"data":{"n":1}}']
)
def test_what_is_not_documented_is_an_error(text: str) -> None:
    with pytest.raises(ProtocolError):
        Subscriptions([Channel(SOL)], Position()).take(text)


def test_frames_and_fields_that_a_newer_server_has_are_no_obstacle() -> None:
    client = Subscriptions([Channel(SOL), Channel("weather:kraken:SOL/USD")], Position())
    assert (told := client.take('{"op":"dance","steps":3}'))
    assert told.event is None
    newer = json.dumps(
        {"op": "bar", "channel": SOL, "offset": 1, "mood": "good", "data": {**DATA, "vwap": 1}}
    )
    assert (told := client.take(newer))
    assert told.event
    assert (
        told := client.take(
            '{"op":"quote","channel":"weather:kraken:SOL/USD","conflated":1,"data":{"sun":1}}'
        )
    )
    assert told.event
    assert {"sun": 1} == told.event.data
