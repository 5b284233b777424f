"""What a subscriber asks, and where it starts."""

from typing import Any

import pytest

from api.frames import Ask, Code, Policy, Result
from api.subscriptions import Start, Subscriptions, result, start
from db.publications import Bounds, Stream
from market.channels import Channel, Family, parse
from market.errors import RefusedRequestError, UnknownInstrumentError

NAMES = {1: ("kraken", "SOL/USD"), 2: ("kraken", "BTC/USD"), 3: ("binance", "BTC/USDT:USDT")}
SOL = "signals:kraken:SOL/USD"
BTC = "signals:kraken:BTC/USD"


def name_of(stream: Stream) -> Channel:
    return Channel(stream.family, *NAMES[stream.instrument_id])


def resolve(channel: Channel) -> list[Stream]:
    streams = [Stream(number, channel.family) for number in NAMES]
    found = [stream for stream in streams if channel.matches(name_of(stream))]
    if not found and not channel.wild:
        raise UnknownInstrumentError(str(channel))
    return found


@pytest.mark.parametrize(
    ("after", "head", "bounds", "expected"),
    [
        (None, 5, Bounds(1, 5), Start(5, recovered=True)),
        (None, 0, Bounds(0, 0), Start(0, recovered=True)),
        (0, 5, Bounds(1, 5), Start(0, recovered=True)),
        (3, 5, Bounds(1, 5), Start(3, recovered=True)),
        (3, 5, Bounds(4, 5), Start(3, recovered=True)),
        (2, 5, Bounds(4, 5), Start(5, recovered=False, missing=(3, 5))),
        (5, 4, Bounds(1, 5), Start(5, recovered=True)),
        (6, 5, Bounds(1, 5), Start(5, recovered=False, missing=(1, 5))),
        (6, 0, Bounds(0, 0), Start(0, recovered=False)),
        (0, 0, Bounds(0, 0), Start(0, recovered=True)),
    ],
)
def test_a_resume_starts_where_the_subscriber_stood_or_not_at_all(
    after: int | None, head: int, bounds: Bounds, expected: Start
) -> None:
    assert expected == start(after, head, bounds)


def test_offsets_of_another_log_recover_nothing() -> None:
    assert Start(5, recovered=False, missing=(1, 5)) == start(3, 5, Bounds(1, 5), same_log=False)
    assert Start(5, recovered=True) == start(None, 5, Bounds(1, 5), same_log=False)


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (Ask("signals"), Code.BAD_CHANNEL),
        (Ask("signals:*:SOL*"), Code.BAD_CHANNEL),
        (Ask("signals:kra*:SOL/USD"), Code.BAD_CHANNEL),
        (Ask("prices:kraken:SOL/USD"), Code.BAD_CHANNEL),
        (Ask("signals:kraken:DOGE/USD"), Code.UNKNOWN_INSTRUMENT),
        (Ask(SOL, policy=Policy.LATEST), Code.BAD_POLICY),
        (Ask(SOL, max_rate_ms=100), Code.BAD_POLICY),
        (Ask("quotes:kraken:*", policy=Policy.LOSSLESS), Code.BAD_POLICY),
        (Ask("quotes:kraken:*", after={}), Code.BAD_RESUME),
        (Ask("signals:*:*", after=4), Code.BAD_RESUME),
        (Ask("signals:kraken:*", after={"signals:binance:BTC/USDT:USDT": 4}), Code.BAD_RESUME),
        (Ask(SOL, since="yesterday"), Code.BAD_SINCE),
        (Ask(SOL, since="2026-11-21T10:00:00Z", after=4), Code.BAD_RESUME),
        (Ask("quotes:kraken:*", since="2026-11-21T10:00:00Z"), Code.BAD_RESUME),
        (Ask("depth:kraken:*", policy=Policy.LOSSLESS), Code.BAD_POLICY),
    ],
)
def test_what_cannot_be_served_is_refused_by_number(ask: Ask, code: Code) -> None:
    with pytest.raises(RefusedRequestError) as refused:
        Subscriptions().check([ask], resolve)
    assert code == refused.value.code


def test_a_channel_is_followed_once() -> None:
    moment = "2026-11-21T10:00:00Z"
    for asks in (
        [Ask(SOL), Ask(SOL)],
        [Ask(SOL), Ask("signals:*:*", after={})],
        [Ask(SOL), Ask("signals:*:*", since=moment)],
    ):
        with pytest.raises(RefusedRequestError) as refused:
            Subscriptions().check(asks, resolve)
        assert Code.ALREADY_FOLLOWED == refused.value.code


def test_bars_are_followed_as_they_run_by_the_policy_latest_beside_the_final_ones() -> None:
    subscriptions = Subscriptions()
    asks = [Ask("bars:kraken:*"), Ask("bars:kraken:*", policy=Policy.LATEST, max_rate_ms=500)]
    final, running = subscriptions.check(asks, resolve)
    assert [Stream(1, Family.BARS), Stream(2, Family.BARS)] == final.streams
    assert [Stream(1, Family.RUNNING), Stream(2, Family.RUNNING)] == running.streams
    for wanted in (final, running):
        subscriptions.add(wanted)
    subscriptions.slots.update(running.streams)
    with pytest.raises(RefusedRequestError) as refused:
        subscriptions.check(asks[1:], resolve)
    assert Code.ALREADY_FOLLOWED == refused.value.code
    left = subscriptions.remove(["bars:kraken:*"], name_of)
    assert running.streams == sorted(left, key=lambda stream: stream.instrument_id)
    assert [] == list(subscriptions.wild())


def test_bars_that_run_cannot_be_resumed() -> None:
    with pytest.raises(RefusedRequestError, match="running bars have no offsets") as refused:
        Subscriptions().check([Ask("bars:kraken:SOL/USD", after=4, policy=Policy.LATEST)], resolve)
    assert Code.BAD_RESUME == refused.value.code


def test_a_wildcard_names_all_its_streams() -> None:
    [wanted] = Subscriptions().check([Ask("bars:kraken:*")], resolve)
    assert [Stream(1, Family.BARS), Stream(2, Family.BARS)] == wanted.streams


def test_a_stream_that_another_channel_names_outlives_an_unsubscribe() -> None:
    subscriptions = Subscriptions()
    for wanted in subscriptions.check([Ask(SOL), Ask("signals:kraken:*")], resolve):
        subscriptions.add(wanted)
        for stream in wanted.streams:
            subscriptions.begin(stream, name_of(stream), 0, resuming=False)
    left = subscriptions.remove(["signals:kraken:*"], name_of)
    assert ([Stream(2, Family.SIGNALS)], {Stream(1, Family.SIGNALS)}) == (left, set(subscriptions.positions))


def test_what_was_never_followed_cannot_be_left() -> None:
    with pytest.raises(RefusedRequestError) as refused:
        Subscriptions().remove([SOL], name_of)
    assert Code.NOT_SUBSCRIBED == refused.value.code


def test_offsets_are_told_once_when_they_moved() -> None:
    subscriptions = Subscriptions()
    position = subscriptions.begin(Stream(1, Family.SIGNALS), parse(SOL), 4, resuming=False)
    still = subscriptions.moved()
    position.offset = 6
    assert ({}, {SOL: 6}, {}) == (still, subscriptions.moved(), subscriptions.moved())


def test_the_result_of_a_wildcard_names_every_stream_and_what_is_missing() -> None:
    [wanted] = Subscriptions().check([Ask("signals:kraken:*", after={SOL: 1, BTC: 2})], resolve)
    starts = {parse(SOL): Start(9, recovered=False, missing=(2, 9)), parse(BTC): Start(2, recovered=True)}
    expected: dict[str, Any] = {
        "channel": "signals:kraken:*",
        "offsets": {SOL: 9, BTC: 3},
        "recovered": False,
        "missing": {SOL: (2, 9)},
    }
    assert Result(**expected) == result(wanted, starts, {parse(SOL): 9, parse(BTC): 3})


def test_offsets_of_a_stream_that_this_log_never_had_are_not_recovered() -> None:
    gone = "signals:kraken:GONE/USD"
    [wanted] = Subscriptions().check([Ask("signals:kraken:*", after={gone: 5})], resolve)
    assert result(wanted, {}, {}).recovered is False
