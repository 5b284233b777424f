"""Faults of connections."""

from sim.faults.fault import Circumstances, Fault, Parameters
from sim.wire.connections import Connection


class Closing(Parameters, frozen=True):
    """With a close code of WebSocket."""

    code: int = 1001


class Disconnect(Fault):
    """All sockets are closed in order; while it lasts new ones are refused with 503."""

    kind = "disconnect"
    takes = Closing
    lasts_seconds = 0.0
    refuses = True
    expected = "A gap from the last stored trade to the first after the reconnect, which heals."

    def __init__(self, parameters: Closing, circumstances: Circumstances) -> None:  # noqa: ARG002
        """Take the code."""
        self._code = parameters.code

    def meets(self, connection: Connection) -> None:
        """Close it."""
        self.touched += 1
        connection.dismiss(self._code)


class Reset(Fault):
    """All connections are reset, each in the middle of its next frame."""

    kind = "reset"
    takes = Parameters
    lasts_seconds = 0.0
    expected = "As a disconnect; the half frame is never decoded."

    def __init__(self, parameters: Parameters, circumstances: Circumstances) -> None:
        """Take nothing."""

    def meets(self, connection: Connection) -> None:
        """Cut its next frame."""
        self.touched += 1
        connection.cut_next()


class HalfOpen(Fault):
    """Connections say nothing for ever and answer no ping, while TCP stays open; later ones work."""

    kind = "half_open"
    takes = Parameters
    lasts_seconds = 0.0
    expected = "Silence and an unanswered ping close the connection; a gap, which heals after the reconnect."

    def __init__(self, parameters: Parameters, circumstances: Circumstances) -> None:
        """Take nothing."""

    def meets(self, connection: Connection) -> None:
        """Make it silent."""
        self.touched += 1
        connection.go_silent()
