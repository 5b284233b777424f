"""History and streams of a Heliograph: ``from heliograph_client import Client``."""

from heliograph_client.client import VERSION, Client
from heliograph_client.errors import (
    BusyError,
    ClientError,
    InvalidQuestionError,
    MissedError,
    ProtocolError,
    RefusedError,
    UnreachableError,
)
from heliograph_client.events import Event
from heliograph_client.history import Answer, History
from heliograph_client.positions import Position
from heliograph_client.rows import (
    Bar,
    Coverage,
    Depth,
    Gap,
    Indicator,
    Instrument,
    Place,
    Quote,
    Signal,
    Span,
    Trade,
)
from heliograph_client.stream import Stream
from heliograph_client.subscriptions import Channel

__version__ = VERSION

__all__ = [
    "Answer",
    "Bar",
    "BusyError",
    "Channel",
    "Client",
    "ClientError",
    "Coverage",
    "Depth",
    "Event",
    "Gap",
    "History",
    "Indicator",
    "Instrument",
    "InvalidQuestionError",
    "MissedError",
    "Place",
    "Position",
    "ProtocolError",
    "Quote",
    "RefusedError",
    "Signal",
    "Span",
    "Stream",
    "Trade",
    "UnreachableError",
]
