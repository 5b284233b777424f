from db.connections import connected
from db.dead_letters import DeadLetter, add


async def test_what_could_not_be_processed_is_kept_whole(postgres_url: str) -> None:
    letters = [
        DeadLetter(
            source="frame", exchange="kraken", reason="undecodable", payload=b"\x00\xff{", code_version="1"
        ),
        DeadLetter(
            source="tick",
            exchange="binance",
            reason="not_a_double",
            payload=b"{}",
            code_version="1",
            instrument_id=7,
        ),
    ]
    async with connected(postgres_url, "test") as connection:
        await add(connection, letters)
        rows = await connection.fetch("SELECT * FROM dead_letters ORDER BY dead_letter_id")
    assert [
        (each.source, each.exchange, each.reason, each.payload, each.instrument_id) for each in letters
    ] == [
        (row["source"], row["exchange"], row["reason"], row["payload"], row["instrument_id"]) for row in rows
    ]
