"""Some of the signals as traces of OpenTelemetry: from the venue's own time to the bus, a span a leg.

They are made of the times that a signal carries anyway, once it is told: nothing is measured for their sake.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from market.errors import ConfigurationError
from market.publications import Publication
from market.times import from_iso

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider

_MISSING: Final = (
    "HELIOGRAPH_WORKER_TRACED_SHARE: traces need OpenTelemetry;"
    " pip install 'heliograph[traces]', or leave it 0"
)
_SENT_WITHIN_SECONDS: Final = 2.0
"""Then a batch is given up, so that a worker that is told to stop does not wait long for a collector."""

_NANOSECONDS: Final = 1000
"""A microsecond."""

_MICROSECONDS: Final = 1000
"""A millisecond."""


@contextmanager
def sampling(share: float) -> Iterator["Tracer"]:
    """Give a tracer that sends such a share of its traces by OTLP, as ``OTEL_EXPORTER_OTLP_*`` say.

    What waits is sent at the end. Raises ConfigurationError where OpenTelemetry is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
    except ImportError as error:
        raise ConfigurationError(_MISSING) from error
    resource = Resource.create({} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "heliograph"})
    provider = TracerProvider(TraceIdRatioBased(share), resource, shutdown_on_exit=False)
    timeout = None if "OTEL_EXPORTER_OTLP_TIMEOUT" in os.environ else _SENT_WITHIN_SECONDS
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=timeout)))
    try:
        yield Tracer(provider)
    finally:
        provider.shutdown()


class Traced(msgspec.Struct, frozen=True):
    """What a trace says of a signal."""

    exchange: str
    symbol: str
    id: str
    kind: str
    received_at: str
    latency_ms: dict[str, float | None] | None


class Tracer:
    """Tells OpenTelemetry of signals that live decided; its provider chooses which are kept."""

    def __init__(self, provider: "TracerProvider") -> None:
        self._tracer = provider.get_tracer("heliograph")

    def tell(self, publication: Publication, told_at: int) -> None:
        """Tell of a signal that the bus took at ``told_at``, microseconds; of one computed again, nothing."""
        signal = msgspec.json.decode(publication.data, type=Traced | None)
        if signal is None or signal.latency_ms is None:
            return
        legs = _legs(signal, publication.committed_at, told_at)
        began = min(began for began, _ in legs.values())  # clocks differ: a venue's may be ahead
        within = self._span("signal", began, told_at, of=signal)
        for name, (began, ended) in legs.items():
            self._span(name, began, ended, within)

    def _span(
        self, name: str, began: int, ended: int, within: "Context | None" = None, of: Traced | None = None
    ) -> "Context":
        from opentelemetry.trace import set_span_in_context

        named = {"exchange": of.exchange, "symbol": of.symbol, "kind": of.kind, "id": of.id} if of else {}
        attributes = {f"heliograph.{key}": value for key, value in named.items()}
        span = self._tracer.start_span(name, within, attributes=attributes, start_time=began * _NANOSECONDS)
        span.end(max(began, ended) * _NANOSECONDS)
        return set_span_in_context(span)


def _legs(signal: Traced, computed_at: int, told_at: int) -> dict[str, tuple[int, int]]:
    """Return when each leg began and ended, microseconds.

    Where the tick was claimed before, by a claim that did not yet decide, the way through the queue is not
    known: a ``wait`` lasts until the claim that decided.
    """
    taken = {
        name: round(ms * _MICROSECONDS) for name, ms in (signal.latency_ms or {}).items() if ms is not None
    }
    received_at = from_iso(signal.received_at)
    claimed_at = computed_at - taken["claimed_to_computed"]
    receive = received_at - taken["venue_to_received"], received_at
    way = {"wait": (received_at, claimed_at)}
    if "received_to_committed" in taken:
        stored_at = received_at + taken["received_to_committed"]
        way = {"store": (received_at, stored_at), "queue": (stored_at, claimed_at)}
    return {"receive": receive, **way, "compute": (claimed_at, computed_at), "tell": (computed_at, told_at)}
