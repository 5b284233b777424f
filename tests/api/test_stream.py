"""The stream over real sockets: what is committed arrives once, in order, whatever the bus does."""

import asyncio
import re
from contextlib import suppress

from websockets.exceptions import ConnectionClosed

from api.settings import ApiSettings
from market.channels import Family
from market.publications import Publication
from tests.api.peers import FAR_AWAY, Served, Worker, serving

SOL = "signals:kraken:SOL/USD"


async def test_publications_arrive_in_order_from_the_head_on(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await worker.publish(sol, 1, 2)
    async with served.stream() as peer:
        answer = await peer.subscribe({"channel": SOL})
        await worker.publish(sol, 3)
        await worker.publish(sol, 4, 5)
        assert [{"channel": SOL, "offset": 2, "recovered": True}] == answer["results"]
        assert [3, 4, 5] == await peer.offsets(3)


async def test_a_frame_carries_the_data_as_it_was_committed(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with served.stream() as peer:
        await peer.subscribe({"channel": SOL})
        await worker.publish(sol, 1)
        while '"heartbeat"' in (text := str(await peer.socket.recv())):
            pass
    assert f'{{"op":"signal","channel":"{SOL}","offset":1,"data":{{"n":1}}}}' == text


async def test_who_asks_for_times_is_told_them_live_and_from_the_log_and_others_are_not(
    served: Served, worker: Worker
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await worker.publish(sol, 1)
    async with served.stream("?times=true") as timed, served.stream() as plain:
        for peer in (timed, plain):
            await peer.subscribe({"channel": SOL, "after": 0})
        await worker.publish(sol, 2)
        told = [await timed.hear("signal") for _ in range(2)]
        assert [1, 2] == [frame["offset"] for frame in told]
        assert all("2" < frame["heard_at"] <= frame["sent_at"] for frame in told)
        assert "sent_at" not in await plain.hear("signal")
    measured = (await served.http.get("/metrics")).text
    assert re.search(r"heliograph_sending_seconds_count [1-9]", measured)


async def test_a_lost_message_is_refilled_before_anything_newer(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with served.stream() as peer:
        await peer.subscribe({"channel": SOL})
        await worker.publish(sol, 1)
        await worker.commit(sol, 2, 3)
        await worker.publish(sol, 4)
        assert [1, 2, 3, 4] == await peer.offsets(4)


async def test_a_lost_last_message_is_found_by_comparing(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with served.stream() as peer:
        await peer.subscribe({"channel": SOL})
        await worker.commit(sol, 1)
        assert [1] == await peer.offsets(1)


async def test_messages_that_come_twice_are_sent_once(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with served.stream() as peer:
        await peer.subscribe({"channel": SOL})
        first = await worker.commit(sol, 1)
        await worker.bus.publish(first)
        await worker.bus.publish(first)
        await worker.publish(sol, 2)
        assert [1, 2] == await peer.offsets(2)


async def test_a_resume_has_no_hole_and_no_repeat_while_more_is_committed(
    served: Served, worker: Worker
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await worker.commit(sol, *range(1, 1001))

    async def go_on() -> None:
        for offset in range(1001, 1501):
            await worker.publish(sol, offset)

    async with asyncio.TaskGroup() as group, served.stream() as peer:
        group.create_task(go_on())
        answer = await peer.subscribe({"channel": SOL, "after": 10})
        assert answer["results"][0]["recovered"] is True
        assert list(range(11, 1501)) == await peer.offsets(1490)


async def test_a_resumed_stream_says_once_that_it_has_caught_up(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await worker.commit(sol, 1, 2, 3)
    async with served.stream() as peer:
        await peer.subscribe({"channel": SOL, "after": 1})
        ops = [await peer.hear() for _ in range(3)]
    assert [("signal", 2), ("signal", 3), ("caught_up", 3)] == [(each["op"], each["offset"]) for each in ops]


async def test_offsets_that_the_log_no_longer_has_are_named(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await worker.commit(sol, 5, 6)
    async with served.stream() as peer:
        answer = await peer.subscribe({"channel": SOL, "after": 2})
        lost = {"channel": SOL, "offset": 6, "recovered": False, "missing": {SOL: [3, 6]}}
        assert [lost] == answer["results"]
        await worker.publish(sol, 7)
        assert ("signal", 7) == ((frame := await peer.hear())["op"], frame["offset"])


async def test_offsets_of_another_log_are_not_recovered(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await worker.commit(sol, 1, 2)
    async with served.stream() as peer:
        answer = await peer.subscribe({"channel": SOL, "after": 1}, epoch="another")
        lost = {"channel": SOL, "offset": 2, "recovered": False, "missing": {SOL: [1, 2]}}
        assert [lost] == answer["results"]
        await worker.publish(sol, 3)
        assert ("signal", 3) == ((frame := await peer.hear())["op"], frame["offset"])


async def test_an_exchange_that_can_never_be_is_unknown_and_one_that_can_is_waited_for(
    served: Served,
) -> None:
    async with served.stream() as peer:
        refused = await peer.subscribe({"channel": "signals:nasdaq:*"})
        assert (1003, True) == (refused["code"], "nasdaq" in refused["message"])
        assert "subscribed" == (await peer.subscribe({"channel": "signals:binance:*"}))["op"]
    assert 404 == (await served.http.get("/v1/trades?exchange=nasdaq")).status_code


async def test_a_wildcard_grows_with_instruments_listed_later(served: Served, worker: Worker) -> None:
    async with served.stream() as peer:
        answer = await peer.subscribe({"channel": "signals:*:*"})
        [sol, btc] = await worker.instruments("SOL/USD", "BTC/USD")
        await worker.publish(btc, 1)
        await worker.commit(sol, 1)
        heard = {(await peer.hear("signal"))["channel"] for _ in range(2)}
    assert [{"channel": "signals:*:*", "offsets": {}, "recovered": True}] == answer["results"]
    assert {SOL, "signals:kraken:BTC/USD"} == heard


async def test_a_wildcard_resumes_with_a_map(served: Served, worker: Worker) -> None:
    [sol, btc] = await worker.instruments("SOL/USD", "BTC/USD")
    await worker.commit(sol, 1, 2, 3)
    await worker.commit(btc, 1)
    async with served.stream() as peer:
        answer = await peer.subscribe({"channel": "signals:kraken:*", "after": {SOL: 2}})
        heard = [await peer.hear("signal") for _ in range(2)]
    assert {SOL: 3, "signals:kraken:BTC/USD": 1} == answer["results"][0]["offsets"]
    assert {(SOL, 3), ("signals:kraken:BTC/USD", 1)} == {(each["channel"], each["offset"]) for each in heard}


async def test_a_correction_is_an_entry_like_any_other_and_withdraws_with_null(
    served: Served, worker: Worker
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with served.stream() as peer:
        await peer.subscribe({"channel": SOL})
        await worker.publish(sol, 1)
        corrections = [(2, '{"n":1.5}'), (3, "null")]
        for offset, data in corrections:
            again = Publication(sol.instrument_id, Family.SIGNALS, offset, "correction", data, 0, revises=1)
            await worker.connection.execute(
                "INSERT INTO publications"
                " VALUES ($1, 'signals', $2, 'correction', 1, 'rsi', now(), $3, now())",
                sol.instrument_id,
                offset,
                data,
            )
            if offset > 2:  # the other is lost on the bus
                await worker.bus.publish([again])
        told = [await peer.hear("signal", "correction") for _ in range(3)]
    expected = [
        {"op": "signal", "channel": SOL, "offset": 1, "data": {"n": 1}},
        {"op": "correction", "channel": SOL, "offset": 2, "revises": 1, "data": {"n": 1.5}},
        {"op": "correction", "channel": SOL, "offset": 3, "revises": 1, "data": None},
    ]
    assert expected == told


async def test_heartbeats_name_only_what_moved(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with served.stream() as peer:
        await peer.subscribe({"channel": SOL})
        assert {} == (await peer.hear("heartbeat"))["offsets"]
        await worker.publish(sol, 1)
        await peer.hear("signal")
        assert {SOL: 1} == (await peer.hear("heartbeat"))["offsets"]
        assert {} == (await peer.hear("heartbeat"))["offsets"]


async def test_nothing_follows_an_unsubscribe(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with served.stream() as peer:
        await peer.subscribe({"channel": SOL})
        await peer.say(op="unsubscribe", id="x", channels=[SOL])
        assert {"op": "unsubscribed", "id": "x", "channels": [SOL]} == await peer.hear()
        await worker.publish(sol, 1)
        await peer.hear("heartbeat")
        answer = await peer.subscribe({"channel": SOL, "after": 1})
        assert 1 == answer["results"][0]["offset"]


async def test_signals_arrive_while_redis_is_down(
    settings: ApiSettings, postgres_url: str, worker: Worker
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with serving(settings, postgres_url, FAR_AWAY) as served, served.stream() as peer:
        await peer.subscribe({"channel": SOL})
        await worker.commit(sol, 1, 2)
        await worker.commit(sol, 3)
        assert [1, 2, 3] == await peer.offsets(3)


async def test_errors_are_numbered_and_leave_the_connection_alive(served: Served) -> None:
    async with served.stream() as peer:
        await peer.socket.send("{")
        assert 1000 == (await peer.hear("error"))["code"]
        await peer.say(op="dance", id=7)
        assert (1001, 7) == ((frame := await peer.hear("error"))["code"], frame["id"])
        assert 1003 == (await peer.subscribe({"channel": SOL}))["code"]
        assert 1007 == (await peer.subscribe({"channel": SOL, "since": "yesterday"}))["code"]
        assert "subscribed" == (await peer.subscribe({"channel": "signals:*:*"}))["op"]


async def test_an_unknown_subprotocol_is_refused_for_good(served: Served) -> None:
    async with served.stream(subprotocols=["heliograph.v9"]) as peer:
        frame = await peer.hear("error")
        await peer.socket.wait_closed()
    assert (1100, True, 4400) == (frame["code"], frame["fatal"], peer.socket.close_code)


async def test_the_subprotocol_asked_for_is_spoken(served: Served) -> None:
    async with served.stream(subprotocols=["other", "heliograph.v1.json"]) as peer:
        assert "heliograph.v1.json" == peer.socket.subprotocol


async def test_messagepack_carries_the_same_frames_in_binary_ones(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await worker.commit(sol, 1)
    async with served.stream() as peer, served.stream(subprotocols=["heliograph.v1.msgpack"]) as packed:
        both = (peer, packed)
        assert "heliograph.v1.msgpack" == packed.socket.subprotocol
        answers = [await each.subscribe({"channel": SOL, "after": 0}) for each in both]
        assert answers[0] == answers[1]
        for op in ("signal", "caught_up"):
            frames = [await each.hear() for each in both]
            assert (op, frames[0]) == (frames[1]["op"], frames[1])
        await worker.publish(sol, 2)
        assert await peer.hear() == await packed.hear()
        for each in both:
            await each.say(op="dance", id=7)
        assert await peer.hear() == await packed.hear()
        assert {SOL: 2} == (await packed.hear("heartbeat"))["offsets"]


async def test_text_is_refused_where_messagepack_was_agreed_upon(served: Served) -> None:
    async with served.stream(subprotocols=["heliograph.v1.msgpack"]) as packed:
        await packed.socket.send('{"op":"subscribe","id":1,"channels":[]}')
        assert 1010 == (await packed.hear("error"))["code"]


async def test_the_first_subprotocol_that_is_spoken_is_agreed_upon(served: Served) -> None:
    asked = ["other", "heliograph.v1.msgpack", "heliograph.v1.json"]
    async with served.stream(subprotocols=asked) as peer:
        assert "heliograph.v1.msgpack" == peer.socket.subprotocol


async def test_a_server_that_ends_tells_where_each_subscriber_stands_and_to_come_back(
    served: Served, worker: Worker
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with served.stream() as peer:
        await peer.subscribe({"channel": SOL})
        await peer.hear("heartbeat")
        await worker.publish(sol, 1, 2)
        assert [1, 2] == await peer.offsets(2)
        await served.state["hub"].close()
        told = [await peer.hear("heartbeat")]
        with suppress(ConnectionClosed):
            while True:
                told.append(await peer.hear("heartbeat"))
    offsets = {name: offset for beat in told for name, offset in beat["offsets"].items()}
    assert ({SOL: 2}, 4000) == (offsets, peer.socket.close_code)
