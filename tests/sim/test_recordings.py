import gzip
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from market.errors import InvalidInputError
from sim.recordings import Answer, Frame, Record, read, read_all

HFTBACKTEST = b"""\
1723161254087891268 {"stream":"btcusdt@bookTicker","data":{"u":1}}
1723161254206652067 {"lastUpdateId":50093239218,"bids":[],"asks":[]}
"""

CRYPTOFEED = b"""\
configuration: {"trades":["XMR-USD"]}
https://api.kraken.com/0/public/AssetPairs -> 1618678132.358447: {"error":[]}
wss://ws.kraken.com <-> 1618678132.368463
wss://ws.kraken.com <- 1618678132.83097: {"event":"subscribe"}
1618678133.5561652: {"event":"heartbeat"}

1618678142.592855: [993,[["354.1","0.8","1618678142.557535","s","l",""]],"trade","XMR/USD"]
"""

V3 = b"""\
{"t":"header","format":2,"exchange":"COINBASE"}
{"t":"http","conn":"C.http.1","ts":1786309548.026294,"url":"https://api.coinbase.com/p","data":"{}"}
{"t":"connect","conn":"C.ws.2","ts":1786309548.03,"addr":"wss://advanced-trade-ws.coinbase.com"}
{"t":"send","conn":"C.ws.2","ts":1786309548.17,"addr":"wss://x","data":"{\\"type\\":\\"subscribe\\"}"}
{"t":"recv","conn":"C.ws.2","ts":1786309548.6290078,"data":"{\\"channel\\":\\"market_trades\\"}"}
"""


def recorded(folder: Path, content: bytes, name: str = "tape") -> list[Record]:
    path = folder / name
    path.write_bytes(content)
    return list(read(path))


def test_hftbacktest_lines_are_frames_at_whole_microseconds(tmp_path: Path) -> None:
    source = str(tmp_path / "tape")
    expected = [
        Frame(1723161254087891, b'{"stream":"btcusdt@bookTicker","data":{"u":1}}', source),
        Frame(1723161254206652, b'{"lastUpdateId":50093239218,"bids":[],"asks":[]}', source),
    ]
    assert expected == recorded(tmp_path, HFTBACKTEST)


def test_cryptofeed_keeps_what_was_received_and_what_was_answered(tmp_path: Path) -> None:
    source = str(tmp_path / "tape")
    trade = b'[993,[["354.1","0.8","1618678142.557535","s","l",""]],"trade","XMR/USD"]'
    expected = [
        Answer(1618678132358447, "https://api.kraken.com/0/public/AssetPairs", b'{"error":[]}', source),
        Frame(1618678133556165, b'{"event":"heartbeat"}', source),
        Frame(1618678142592855, trade, source),
    ]
    assert expected == recorded(tmp_path, CRYPTOFEED)


def test_cryptofeed_v3_gives_back_the_raw_text(tmp_path: Path) -> None:
    source = str(tmp_path / "tape")
    expected = [
        Answer(1786309548026294, "https://api.coinbase.com/p", b"{}", source),
        Frame(1786309548629007, b'{"channel":"market_trades"}', source),
    ]
    assert expected == recorded(tmp_path, V3)


def test_gzip_and_zstd_are_told_by_their_first_bytes(tmp_path: Path) -> None:
    plain = recorded(tmp_path, HFTBACKTEST)
    assert plain == recorded(tmp_path, gzip.compress(HFTBACKTEST))
    assert plain == recorded(tmp_path, zstandard.compress(HFTBACKTEST))


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(
            st.integers(10**18, 2**63 - 1),
            st.text(st.characters(min_codepoint=32, exclude_categories=["C", "Z"]), min_size=1),
        ),
        min_size=1,
    )
)
def test_every_frame_comes_back_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, frames: list[tuple[int, str]]
) -> None:
    content = b"".join(f"{moment} {text}\n".encode() for moment, text in frames)
    folder = tmp_path_factory.mktemp("tapes")
    expected = [Frame(moment // 1000, text.encode(), str(folder / "tape")) for moment, text in frames]
    assert expected == recorded(folder, zstandard.compress(content))


def test_several_files_are_one_tape_by_recorded_time(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1723161254000000000 a1\n1723161256000000000 a2\n")
    (tmp_path / "b").write_bytes(b"1723161255000000000 b1\n1723161257000000000 b2\n")
    expected = [b"a1", b"b1", b"a2", b"b2"]
    assert expected == [record.text for record in read_all([tmp_path / "a", tmp_path / "b"])]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"time,price,size\n1,2,3\n", "first line 'time,price,size"),
        (HFTBACKTEST + b"not a line\n", "line 3: 'not a line'"),
        (CRYPTOFEED + b"cut off\n", "line 8: 'cut off'"),
        (V3 + b'{"t":"recv","ts":17\n', "line 6: "),
        (V3 + b'{"t":"sent","ts":17}\n', "unknown kind of line 'sent'"),
        (V3 + b'{"t":"recv","conn":"C"}\n', "line 6: "),
        (b"", "holds no recorded line"),
        (gzip.compress(HFTBACKTEST)[:-20], "cannot be read"),
    ],
)
def test_anything_else_is_refused_with_the_place(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(InvalidInputError, match="tape") as caught:
        recorded(tmp_path, content)
    assert said in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"nowhere\.gz cannot be read"):
        list(read(tmp_path / "nowhere.gz"))


def test_recordings_of_all_three_formats_are_read_to_the_end(recordings: Path) -> None:
    kraken = recordings / "cryptofeed/2021-09-14/KRAKEN.ws.48.0.a07dc5a.gz"
    coinbase = recordings / "cryptofeed_v3/COINBASE.first_part.jsonl.zst"
    binance = recordings / "hftbacktest/spot_btcusdt_20240808.gz"
    expected = [49, 270, 41_249]
    assert expected == [sum(1 for _ in read(path)) for path in (kraken, coinbase, binance)]
