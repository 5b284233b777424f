from db.connections import connected
from db.sockets import SocketState, forget_old, read, tell
from market.times import SECOND

SEEN = 1_700_000_000 * SECOND


def state(url: str, state_: str, last_frame_at: int | None, number: int = 1) -> SocketState:
    return SocketState(
        exchange="kraken",
        url=url,
        number=number,
        state=state_,
        symbols=("SOL/USD", "BTC/USD"),
        last_frame_at=last_frame_at,
        detail="",
    )


async def test_the_row_of_a_connection_tells_its_newest_state(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await tell(connection, "one", [state("wss://a", "connecting", None), state("wss://b", "live", SEEN)])
        await tell(connection, "one", [state("wss://a", "live", SEEN), state("wss://b", "live", SEEN)])
        found = await read(connection)
    expected = [
        ("wss://a", "live", ("SOL/USD", "BTC/USD"), SEEN),
        ("wss://b", "live", ("SOL/USD", "BTC/USD"), SEEN),
    ]
    assert expected == [(each.url, each.state, each.symbols, each.last_frame_at) for each in found]
    assert all(each.updated_at > SEEN for each in found)


async def test_a_connection_that_its_process_has_no_more_is_forgotten_and_others_are_not(
    postgres_url: str,
) -> None:
    async with connected(postgres_url, "test") as connection:
        await tell(connection, "one", [state("wss://a", "live", SEEN), state("wss://a", "live", SEEN, 2)])
        await tell(connection, "other", [state("wss://a", "live", SEEN)])
        await tell(connection, "one", [state("wss://a", "live", SEEN, 2)])
        assert [1, 2] == [each.number for each in await read(connection)]
        await tell(connection, "one", [])
        assert [1] == [each.number for each in await read(connection)]


async def test_what_was_last_told_long_ago_is_dropped(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await tell(connection, "one", [state("wss://a", "live", SEEN)])
        await forget_old(connection)
        assert 1 == len(await read(connection))
        await connection.execute("UPDATE sockets SET updated_at = updated_at - interval '2 days'")
        await forget_old(connection)
        assert [] == await read(connection)
