from db.connections import connected
from db.feeds import FeedState, feeds, upsert
from market.times import SECOND

SEEN = 1_700_000_000 * SECOND


def state(url: str, state_: str, last_frame_at: int | None) -> FeedState:
    return FeedState(
        exchange="kraken",
        url=url,
        state=state_,
        symbols=("SOL/USD", "BTC/USD"),
        last_frame_at=last_frame_at,
        detail="",
    )


async def test_the_row_of_a_connection_tells_its_newest_state(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await upsert(connection, [state("wss://one", "connecting", None), state("wss://two", "live", SEEN)])
        await upsert(connection, [state("wss://one", "live", SEEN)])
        found = await feeds(connection)
    expected = [
        ("wss://one", "live", ("SOL/USD", "BTC/USD"), SEEN),
        ("wss://two", "live", ("SOL/USD", "BTC/USD"), SEEN),
    ]
    assert expected == [(each.url, each.state, each.symbols, each.last_frame_at) for each in found]
    assert all(each.updated_at > SEEN for each in found)
