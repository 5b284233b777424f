"""Files of rows, opened whatever they are packed in, and read in constant memory."""

import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import IO, Final, NamedTuple, Self

import zstandard

from market.errors import ConfigurationError, InvalidInputError

_ROW_BYTES: Final = 64 * 1024
"""Of a row at most: what is longer is none, and is not kept."""

_SHOWN: Final = 1000
"""Characters of a row that cannot be read that are told."""

_LOOKED_AT: Final = 100
"""Rows among which the first that can be read is looked for."""

_MAGIC_BYTES: Final = 8
_GZIP: Final = b"\x1f\x8b"
_ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"
_ZIP: Final = b"PK"
_PARQUET: Final = b"PAR1"
_ARROW: Final = b"ARROW1"
_MARK: Final = b"\xef\xbb\xbf"
"""What some programs write before UTF-8."""

_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
_DAMAGE: Final = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, zstandard.ZstdError)

JSON: Final = (
    "the file is JSON, not rows: of what is spread so, freqtrade's downloads hold aggregated trades of "
    "Binance, whose ids number other things than those of trades do, so they can neither be told from "
    "trades that are stored nor be mixed with them; take data.binance.vision's files of `trades`, or "
    "backfill the range by REST"
)


class Line(NamedTuple):
    """A row as it stands in its file, counted from 1; without ``fields`` where it is none, and why."""

    number: int
    fields: Sequence[str] | None
    text: str
    wrong: str = ""


class Opened(NamedTuple):
    """A file's rows, and the names of its columns if it has them."""

    names: Sequence[str] | None
    first: Sequence[str]
    lines: Iterator[Line]


class Counted(io.RawIOBase):
    """A file that tells how far it was read, through whatever unpacks it."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("rb", buffering=0)
        self.size = path.stat().st_size

    def __enter__(self) -> Self:
        return self

    def readinto(self, buffer: object) -> int:
        """Read some."""
        return int(self._file.readinto(buffer) or 0)  # type: ignore[attr-defined]

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read anew: zip's index is at its end."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go there."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return how far it was read."""
        return self._file.tell()

    def close(self) -> None:
        """Close it."""
        self._file.close()
        super().close()


class _Zstandard(io.RawIOBase):
    """Frames one after another; unlike the library's own reader it tells when the last is not whole."""

    def __init__(self, file: Counted) -> None:
        self._file = file
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._fresh = True
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: object) -> int:
        """Read some."""
        into = memoryview(buffer)  # type: ignore[arg-type]
        while not self._ready:
            packed = self._frame.unused_data or self._file.read(_ROW_BYTES)
            if not packed:
                if not self._fresh:
                    message = "the last frame ends early"
                    raise zstandard.ZstdError(message)
                return 0
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._ready = memoryview(self._frame.decompress(packed))
            self._fresh = self._frame.eof
        count = min(len(into), len(self._ready))
        into[:count], self._ready = self._ready[:count], self._ready[count:]
        return count


@contextmanager
def opened(file: Counted, name: str) -> Iterator[Opened]:
    """Open rows of CSV (plain, gzip, zip, zstd), Parquet, or Arrow, told by their first bytes.

    Raises InvalidInputError for what is none of these; also while rows are read, where it is damaged.
    """
    magic = file.read(_MAGIC_BYTES) or b""
    file.seek(0)
    with ExitStack() as held, _told(name):
        if magic.startswith((_PARQUET, _ARROW)):
            names, texts = _columnar()(file, parquet=magic.startswith(_PARQUET))
            yield _begun(names, (Line(number, row, ",".join(row)) for number, row in enumerate(texts, 1)))
            return
        stream = held.enter_context(io.BufferedReader(_unpacked(file, magic, held), _ROW_BYTES))
        head = stream.peek(_MAGIC_BYTES).lstrip()
        if head.startswith((b"[", b"{")):
            raise InvalidInputError(JSON, where="file")
        yield _begun(None, _lines(stream))


def _columnar() -> Callable[..., tuple[Sequence[str], Iterator[Sequence[str]]]]:
    try:
        from ingest.files.columnar import rows
    except ImportError as error:
        message = "Parquet and Arrow need pyarrow: pip install 'heliograph[arrow]'"
        raise ConfigurationError(message) from error
    return rows


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        message = f"{name} is damaged, or not whole: {error}; fetch it again"
        raise InvalidInputError(message, where="file") from error


def _unpacked(file: Counted, magic: bytes, held: ExitStack) -> io.RawIOBase:
    if magic.startswith(_GZIP):
        return held.enter_context(gzip.GzipFile(fileobj=file, mode="rb"))  # type: ignore[return-value]
    if magic.startswith(_ZSTANDARD):
        return _Zstandard(file)
    if magic.startswith(_ZIP):
        archive = held.enter_context(zipfile.ZipFile(file))
        members = [each for each in archive.infolist() if not each.is_dir()]
        if len(members) != 1:
            message = (
                f"the zip holds {len(members)} files in place of one: unpack it and import them one by one"
            )
            raise InvalidInputError(message, where="file")
        return held.enter_context(archive.open(members[0]))  # type: ignore[return-value]
    return file


def _begun(names: Sequence[str] | None, lines: Iterator[Line]) -> Opened:
    """Look at the first rows: one may be names."""
    looked = list(islice(lines, _LOOKED_AT))
    readable = [line for line in looked if line.fields]
    if names is None and readable and not any(map(_NUMBER.fullmatch, readable[0].fields or ())):
        heading = readable.pop(0)
        looked.remove(heading)
        names = heading.fields
    first = readable[0].fields if readable else None
    return Opened(names, first or (), chain(looked, lines))


def _lines(stream: "io.BufferedReader[io.RawIOBase]") -> Iterator[Line]:
    number = 0
    while line := stream.readline(_ROW_BYTES):
        number += 1
        if number == 1:
            line = line.removeprefix(_MARK)
        if len(line) == _ROW_BYTES and not line.endswith(b"\n"):
            _skip(stream)
            yield Line(number, None, line[:_SHOWN].decode(errors="backslashreplace"), "longer than any row")
        elif line.strip():
            yield _line(number, line)


def _skip(stream: "io.BufferedReader[io.RawIOBase]") -> None:
    """Read over the rest of a line."""
    while (rest := stream.readline(_ROW_BYTES)) and not rest.endswith(b"\n"):
        pass


def _line(number: int, line: bytes) -> Line:
    try:
        text = line.decode().rstrip("\r\n")
        fields = next(csv.reader([text], strict=True)) if '"' in text else text.split(",")
    except (UnicodeDecodeError, csv.Error, StopIteration) as error:
        shown = line[:_SHOWN].decode(errors="backslashreplace").rstrip("\r\n")
        return Line(number, None, shown, f"not CSV: {error}")
    return Line(number, [field.strip() for field in fields], text)
