"""Old trades of Kraken spot, by time, each with the id that version 2 of the socket tells.

Times are decimal numbers of at most 17 digits: a double, in which nanoseconds are rounded to steps of
0.24 microseconds. One in twenty so lies in another microsecond than the socket's time of the same trade.
Truncating further moves the border and does not remove it; so what is stored already is matched by its id.

Docs: https://docs.kraken.com/api/docs/rest-api/get-recent-trades
and https://docs.kraken.com/api/docs/guides/spot-rest-ratelimits
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec

from ingest.venues.bodies import parsed
from ingest.venues.checking import positive
from ingest.venues.history import Answer, Order, Page, Request, Stretch, cut, judge, plausible, understood
from ingest.venues.venue import Id
from market.errors import (
    DecodeError,
    InvalidInputError,
    RateLimitedError,
    VenueRefusedError,
    VenueUnavailableError,
)
from market.times import from_seconds_text
from market.trades import Side, Trade

_LIMIT: Final = 1000
_REST_SECONDS: Final = 15.0
_NANOSECONDS: Final = 1000
"""In a microsecond."""

_SIDES: Final = {"b": Side.BUY, "s": Side.SELL}
_WORDS: Final = {"BTC": "XBT", "DOGE": "XDG"}
_TOO_OFTEN: Final = ("EAPI:Rate limit", "EGeneral:Too many requests", "EService:Throttled")
_UNABLE: Final = ("EService:", "EGeneral:Internal error", "EGeneral:Temporary lockout")

_Row = tuple[str, str, msgspec.Raw, str, str, str, Id]
"""price, volume, time, side, order type, miscellaneous, id."""


class _Errors(msgspec.Struct):
    error: list[str] = []


class _Answer(_Errors):
    result: dict[str, msgspec.Raw] = {}


_errors = msgspec.json.Decoder(_Errors)
_answers = msgspec.json.Decoder(_Answer)
_lists = msgspec.json.Decoder(list[msgspec.Raw])
_lasts = msgspec.json.Decoder(str)
_rows = msgspec.json.Decoder(_Row)


class KrakenHistory:
    """Pages upwards: a position is the time in nanoseconds after which the next one lies."""

    contiguous = True
    tolerance = 1
    order = Order.BY_TIME
    limit = _LIMIT

    def position(self, trade_id: int) -> str:
        """Raise InvalidInputError: it is asked by time."""
        message = f"kraken cannot be asked for trade {trade_id}, only for a time"
        raise InvalidInputError(message)

    def request(self, stretch: Stretch, position: str) -> Request:
        """Return the request of one page."""
        pair = "".join(_WORDS.get(part, part) for part in stretch.venue_symbol.split("/"))
        since = position or _beginning(stretch)
        return Request(f"/0/public/Trades?pair={pair}&since={since}&count={_LIMIT}")

    def judge(self, answer: Answer) -> None:
        """Raise what the status says, or the errors that come with status 200."""
        judge(answer)
        with suppress(DecodeError):
            errors = parsed(_errors.decode, answer.body, "kraken answered no list of errors").error
            if errors:
                _raise(errors)

    def page(self, stretch: Stretch, position: str, body: bytes, received_at: int) -> Page:
        """Return a page; one that is short may be one of many."""
        rows, last = parsed(_rows_and_last, body, f"kraken answered no trades of {stretch.venue_symbol}")
        decoded = understood(rows, lambda row: _trade(row, stretch.instrument_id, received_at))
        since = int(position or _beginning(stretch))
        following = _following(since, last, full=len(rows) >= _LIMIT)
        ids = [trade.trade_id for trade in decoded.trades]
        reached = stretch.before_id is not None and max(ids, default=-1) >= stretch.before_id - 1
        past = any(map(stretch.follows, decoded.trades))
        return cut(decoded, stretch, str(following), complete=reached or past or following <= since)


def _rows_and_last(body: bytes) -> tuple[list[bytes], int]:
    result = _answers.decode(body).result
    try:
        last = int(_lasts.decode(result.pop("last")))
        (listed,) = result.values()
    except (KeyError, ValueError) as error:
        message = f"{error!r}"
        raise msgspec.DecodeError(message) from error
    return [bytes(row) for row in _lists.decode(listed)], last


def _beginning(stretch: Stretch) -> str:
    """Return a moment before the stretch: several trades share a time, and ``since`` leaves it out."""
    return str((stretch.from_ts - KrakenHistory.tolerance) * _NANOSECONDS - 1)


def _following(since: int, last: int, *, full: bool) -> int:
    """Return where to go on; a full page may have cut trades of one time apart: they are asked for again."""
    again = last - 1 if full else last
    return again if again > since else last


def _raise(errors: Sequence[str]) -> None:
    said = f"kraken answered {', '.join(errors)}"
    if any(error.startswith(_TOO_OFTEN) for error in errors):
        raise RateLimitedError(said, _REST_SECONDS)
    if any(error.startswith(_UNABLE) for error in errors):
        raise VenueUnavailableError(said)
    raise VenueRefusedError(said)


def _trade(row: bytes, instrument_id: int, received_at: int) -> Trade:
    price, size, time, side, _, _, number = _rows.decode(row)
    return Trade(
        instrument_id=instrument_id,
        ts=plausible(from_seconds_text(bytes(time).decode()), received_at),
        trade_id=number,
        price=positive(price),
        size=positive(size),
        side=_SIDES.get(side, Side.UNKNOWN),
        received_at=received_at,
    )
