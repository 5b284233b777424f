"""Files are told by their first bytes, unpacked as they are read, and say where they are damaged."""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from pyarrow import feather

from ingest.files.reading import Counted, Line, opened
from market.errors import InvalidInputError

CSV = b"ts,price\n1,2.5\n3,4.5\n"
TABLE = pa.table({"ts": [1, 3], "price": [2.5, 4.5]})


def zipped(path: Path, *names: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, CSV)


WAYS: dict[str, Callable[[Path], object]] = {
    "plain": lambda path: path.write_bytes(CSV),
    "marked": lambda path: path.write_bytes(b"\xef\xbb\xbf" + CSV.replace(b"\n", b"\r\n")),
    "gzip": lambda path: path.write_bytes(gzip.compress(CSV[:9]) + gzip.compress(CSV[9:])),
    "zstd": lambda path: path.write_bytes(zstandard.compress(CSV[:9]) + zstandard.compress(CSV[9:])),
    "zip": lambda path: zipped(path, "trades.csv"),
    "parquet": lambda path: pq.write_table(TABLE, path, row_group_size=1),
    "arrow": lambda path: feather.write_feather(TABLE, str(path), compression="zstd"),
}


def read(path: Path) -> tuple[list[str] | None, list[Line]]:
    with Counted(path) as file, opened(file, path.name) as rows:
        return list(rows.names) if rows.names else None, list(rows.lines)


@pytest.mark.parametrize("way", WAYS)
def test_the_same_rows_come_out_of_every_packing(way: str, tmp_path: Path) -> None:
    WAYS[way](tmp_path / "file")
    names, lines = read(tmp_path / "file")
    assert ["ts", "price"] == names
    assert [["1", "2.5"], ["3", "4.5"]] == [list(line.fields or ()) for line in lines]


def test_columns_of_every_type_are_text_that_says_them_exactly(tmp_path: Path) -> None:
    columns = {
        "time": pa.array([1_700_000_000_123_456_789], pa.timestamp("ns", tz="UTC")),
        "double": [0.1],
        "tiny": [1e-05],
        "single": pa.array([0.1], pa.float32()),
        "decimal": pa.array(["1.10"]).cast(pa.decimal128(10, 2)),
        "flag": [True],
        "none": pa.array([None], pa.int64()),
        "word": pa.array(["buy"]).dictionary_encode(),
    }
    pq.write_table(pa.table(columns), tmp_path / "file")
    [line] = read(tmp_path / "file")[1]
    assert ["1700000000123456789", "0.1", "0.00001", "0.1", "1.10", "true", "", "buy"] == list(
        line.fields or ()
    )


def test_lines_that_are_no_rows_are_told_with_their_number(tmp_path: Path) -> None:
    rows = [b"1,2", b"\xff\xfe,2", b"", b"9" * 200_000, b'"a""b",2', b'"a,2', b"5,6"]
    (tmp_path / "file").write_bytes(b"\n".join(rows))
    names, lines = read(tmp_path / "file")
    assert None is names
    assert [(1, ["1", "2"]), (2, None), (4, None), (5, ['a"b', "2"]), (6, None), (7, ["5", "6"])] == [
        (line.number, line.fields) for line in lines
    ]
    assert "not CSV" in lines[1].wrong
    assert "longer than any row" == lines[2].wrong
    assert 1000 == len(lines[2].text)


@pytest.mark.parametrize("way", ["gzip", "zstd", "zip", "parquet", "arrow"])
def test_a_file_that_is_not_whole_says_so(way: str, tmp_path: Path) -> None:
    WAYS[way](tmp_path / "whole")
    (tmp_path / "file").write_bytes((tmp_path / "whole").read_bytes()[:-5])
    with pytest.raises(InvalidInputError, match=r"damaged|cannot be read"):
        read(tmp_path / "file")


def test_a_zip_of_several_files_is_refused(tmp_path: Path) -> None:
    zipped(tmp_path / "file", "a.csv", "b.csv")
    with pytest.raises(InvalidInputError, match="holds 2 files"):
        read(tmp_path / "file")


@pytest.mark.parametrize(
    "content", [b'[[1570752011620,"13519807",null]]', gzip.compress(b' {"a": 1}')], ids=["plain", "gzip"]
)
def test_json_is_refused_with_what_to_do(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(InvalidInputError, match="aggregated trades of Binance"):
        read(tmp_path / "file")


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert (None, []) == read(tmp_path / "file")
