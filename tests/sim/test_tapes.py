import json
from pathlib import Path

import pytest

from market.errors import InvalidInputError
from market.instruments import Market
from sim.protocols import named
from sim.protocols.protocol import Topic
from sim.tapes import RecordedTape

BINANCE = named("binance")

BOOK = '{"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[["0.0026","100"]]}'
SPOT = [
    '{"stream":"bnbbtc@trade","data":{"e":"trade","E":1672515782136,"s":"BNBBTC","t":12345}}',
    BOOK,
    '{"stream":"bnbbtc@depth@100ms","data":{"e":"depthUpdate","s":"BNBBTC","U":157,"u":160}}',
    '{"stream":"bnbbtc@kline_1m","data":{"e":"kline","s":"BNBBTC"}}',
    "not json",
]
SWAP = ['{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","s":"BTCUSDT","u":400900217}}']


def write(path: Path, frames: list[str]) -> Path:
    path.write_text("".join(f"{1_723_161_254_000_000_000 + n} {text}\n" for n, text in enumerate(frames)))
    return path


def test_a_tape_tells_what_it_holds(tmp_path: Path) -> None:
    contents = RecordedTape(BINANCE, [write(tmp_path / "spot", SPOT)]).contents
    assert Market.SPOT is contents.market
    assert frozenset({Topic("trade", "BNBBTC"), Topic("depth", "BNBBTC")}) == contents.topics
    assert contents.venue_symbols == ("BNBBTC",)


def test_a_book_among_the_frames_is_answered_and_not_played(tmp_path: Path) -> None:
    tape = RecordedTape(BINANCE, [write(tmp_path / "spot", SPOT)])
    assert tape.snapshot("BNBBTC") == BOOK.encode()
    assert tape.snapshot("BTCUSDT") is None
    assert [text for text in SPOT if text != BOOK] == [frame.text.decode() for frame in tape.frames()]


def test_a_book_answered_by_http_is_known_by_its_address(tmp_path: Path) -> None:
    answer = tmp_path / "http"
    answer.write_text(
        "https://api.binance.com/api/v3/depth?symbol=BNBBTC&limit=1000 -> 1633998512.320639: " + BOOK + "\n"
    )
    tape = RecordedTape(BINANCE, [write(tmp_path / "spot", SPOT[:1]), answer])
    assert json.loads(tape.snapshot("BNBBTC") or b"") == json.loads(BOOK)


def test_a_book_without_a_name_needs_a_file_of_one_symbol(tmp_path: Path) -> None:
    other = '{"stream":"ethbtc@trade","data":{"e":"trade","s":"ETHBTC","t":1}}'
    with pytest.raises(InvalidInputError, match=r"a book of one of \['BNBBTC', 'ETHBTC'\]; split it"):
        RecordedTape(BINANCE, [write(tmp_path / "both", [*SPOT, other])])


def test_two_files_keep_their_books_apart(tmp_path: Path) -> None:
    other = [text.replace("bnb", "eth").replace("BNB", "ETH").replace("160", "161") for text in SPOT]
    tape = RecordedTape(BINANCE, [write(tmp_path / "a", SPOT), write(tmp_path / "b", other)])
    ids = [json.loads(tape.snapshot(symbol) or b"")["lastUpdateId"] for symbol in ("BNBBTC", "ETHBTC")]
    assert ids == [160, 161]


@pytest.mark.parametrize(
    ("venue", "frames", "said"),
    [
        ("kraken", SPOT, "no trade, quote, or depth of kraken"),
        ("binance", SPOT[3:], "no trade, quote, or depth of binance"),
        ("binance", SPOT[2:3] + SWAP, "spot and swap share symbols"),
    ],
)
def test_what_cannot_be_played_is_refused(tmp_path: Path, venue: str, frames: list[str], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        RecordedTape(named(venue), [write(tmp_path / "tape", frames)])
