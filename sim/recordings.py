"""Read recorded market data, frame by frame, in constant memory.

Three formats, gzip or zstd or plain (told by the first bytes, not by the name):

- hftbacktest: ``<local nanoseconds> <frame>`` a line.
- cryptofeed: ``wss://host <-> TIME`` connected, ``wss://host <- TIME: text`` sent,
  ``TIME: frame`` received, ``https://url -> TIME: body`` answered.
- cryptofeed v3: JSON lines, ``t`` one of header, http, connect, send, recv; ``data`` is the raw text.
"""

import gzip
import heapq
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, cast

import msgspec
import zstandard

from market import times
from market.errors import InvalidInputError

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_NANOSECONDS = 1000
_SHOWN = 60

_PLAIN = re.compile(rb"(\d{19}) (.+)")
_RECEIVED = re.compile(rb"(\d+(?:\.\d+)?): (.+)")
_SENT = re.compile(rb"wss?://\S+ <- \d+(?:\.\d+)?: .*")
_CONNECTED = re.compile(rb"wss?://\S+ <-> \d+(?:\.\d+)?")
_ANSWERED = re.compile(rb"(https?://\S+) -> (\d+(?:\.\d+)?): (.*)")
_CONFIGURATION = b"configuration: "


class Frame(msgspec.Struct, frozen=True):
    """One message received on a socket, byte for byte.

    ``recorded_at`` is microseconds by the recorder's clock, ``source`` is the file.
    """

    recorded_at: int
    text: bytes
    source: str = ""


class Answer(msgspec.Struct, frozen=True):
    """The body of one HTTP answer."""

    recorded_at: int
    url: str
    text: bytes
    source: str = ""


Record = Frame | Answer
_Parse = Callable[[bytes, str], Record | None]


def read(path: Path) -> Iterator[Record]:
    """Yield what the recorder received, in the file's order; raises InvalidInputError."""
    parse: _Parse | None = None
    number = 0
    for number, line in enumerate(_lines(path), start=1):
        if line.isspace():
            continue
        parse = parse or _format_of(line, path)
        record = _parsed(parse, line.rstrip(b"\r\n"), path, number)
        if record is not None:
            yield record
    if parse is None:
        message = f"{path} holds no recorded line; give a recording of hftbacktest or cryptofeed"
        raise InvalidInputError(message)


def read_all(paths: Iterable[Path]) -> Iterator[Record]:
    """Yield the records of several files by their recorded time; each file keeps its own order."""
    return heapq.merge(*map(read, paths), key=_recorded_at)


def _recorded_at(record: Record) -> int:
    return record.recorded_at


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file, unpacked as its first bytes say."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            file.seek(0)
            yield from _unpacked(file, magic)
    except (OSError, EOFError, zstandard.ZstdError) as exc:
        message = f"{path} cannot be read ({exc}); give a whole plain, gzip, or zstd file"
        raise InvalidInputError(message) from exc


def _unpacked(file: IO[bytes], magic: bytes) -> Iterable[bytes]:
    if magic.startswith(_GZIP):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    if magic.startswith(_ZSTD):
        return _zstd_lines(file)
    return file


def _zstd_lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield lines; a stream that was cut off ends with its last whole line."""
    rest = b""
    with zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as reader:
        while block := reader.read(1 << 17):
            *whole, rest = (rest + block).split(b"\n")
            yield from whole
    if rest:
        yield rest


def _format_of(line: bytes, path: Path) -> _Parse:
    """Return the parser of the format that the first line is written in."""
    if line.startswith(b"{"):
        return _parse_v3
    if _PLAIN.match(line):
        return _parse_hftbacktest
    if line.startswith((b"wss://", b"ws://", b"http", _CONFIGURATION)) or _RECEIVED.match(line):
        return _parse_cryptofeed
    message = f"{path}, first line {_shown(line)}: not a recording of hftbacktest or cryptofeed"
    raise InvalidInputError(message)


def _parsed(parse: _Parse, line: bytes, path: Path, number: int) -> Record | None:
    try:
        return parse(line, str(path))
    except (ValueError, KeyError, TypeError) as exc:
        message = f"{path}, line {number}: {_shown(line)} does not continue the recording ({exc}); cut it out"
        raise InvalidInputError(message) from exc


def _shown(line: bytes) -> str:
    return repr(line[:_SHOWN].decode(errors="replace"))


def _parse_hftbacktest(line: bytes, source: str) -> Record:
    found = _PLAIN.fullmatch(line)
    if found is None:
        message = "expected: nanoseconds, a space, a frame"
        raise ValueError(message)
    return Frame(int(found[1]) // _NANOSECONDS, found[2], source)


def _parse_cryptofeed(line: bytes, source: str) -> Record | None:
    if found := _RECEIVED.fullmatch(line):
        return Frame(_seconds(found[1]), found[2], source)
    if found := _ANSWERED.fullmatch(line):
        return Answer(_seconds(found[2]), found[1].decode(), found[3], source)
    if _SENT.fullmatch(line) or _CONNECTED.fullmatch(line) or line.startswith(_CONFIGURATION):
        return None
    message = "expected: 'TIME: frame', 'wss://host <- TIME: text', or 'https://url -> TIME: body'"
    raise ValueError(message)


def _seconds(text: bytes) -> int:
    return times.from_seconds_text(text.decode())


def _parse_v3(line: bytes, source: str) -> Record | None:
    record: dict[str, Any] = json.loads(line, parse_float=str)
    kind = record["t"]
    if kind == "recv":
        return Frame(_moment(record), record["data"].encode(), source)
    if kind == "http":
        return Answer(_moment(record), record["url"], record["data"].encode(), source)
    if kind in ("header", "connect", "send"):
        return None
    message = f"unknown kind of line {kind!r}"
    raise ValueError(message)


def _moment(record: dict[str, Any]) -> int:
    return times.from_seconds_text(str(record["ts"]))
