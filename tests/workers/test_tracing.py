"""Traces: what a collector of OpenTelemetry hears of signals."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import msgspec
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from structlog.testing import capture_logs

from bus import publishing
from market.channels import Family
from market.errors import ConfigurationError
from market.publications import Publication
from market.signals import Delivery, Direction, Journey, Signal
from market.texts import Name, signal_text
from workers.announcing import Announcer
from workers.tracing import sampling

TS = 1_790_000_000_000_000
COMPUTED, TOLD = TS + 9_000, TS + 9_400
SIGNAL = Signal(
    kind="momentum",
    version=1,
    ts=TS,
    direction=Direction.UP,
    strength=0.5,
    confidence=1.0,
    price=1.0,
    evidence={},
    from_ts=TS,
    to_ts=TS,
)
WAY = Journey(TS + 1_000, received_at=TS + 5_500, stored_at=TS + 6_000, claimed_at=TS + 8_000)
MICROSECOND = 1_000


def told(journey: Journey | None, offset: int = 1) -> Publication:
    delivery = Delivery(1.0, TS + 5_500, COMPUTED, "0.1.0", journey)
    data = signal_text(Name("kraken", "SOL/USD"), SIGNAL, delivery)
    return Publication(1, Family.SIGNALS, offset, "signal", data, COMPUTED)


@contextmanager
def collecting(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Span]]:
    """What is sent to a collector on a socket of its own, which the environment names."""
    spans: list[Span] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
            for resource in sent.resource_spans:
                for scope in resource.scope_spans:
                    spans.extend(scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield spans
        finally:
            server.shutdown()


def times(spans: list[Span]) -> dict[str, tuple[int, int]]:
    """When each span began and ended, microseconds after TS."""

    def after(nanoseconds: int) -> int:
        return nanoseconds // MICROSECOND - TS

    return {each.name: (after(each.start_time_unix_nano), after(each.end_time_unix_nano)) for each in spans}


async def test_a_signal_that_the_bus_took_is_one_trace_with_a_span_for_each_leg(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collecting(monkeypatch) as spans, sampling(1.0) as tracer:
        async with publishing.opened(redis_url) as bus:
            announcer = Announcer(bus, clock=lambda: TOLD, tracer=tracer)
            announcer.tell([told(WAY), Publication(1, Family.BARS, 1, "bar", "{}", COMPUTED)])
            announcer.close()
            await announcer.run()
    assert times(spans) == {
        "signal": (1_000, 9_400),
        "receive": (1_000, 5_500),
        "store": (5_500, 6_000),
        "queue": (6_000, 8_000),
        "compute": (8_000, 9_000),
        "tell": (9_000, 9_400),
    }
    [root] = [each for each in spans if not each.parent_span_id]
    named = {each.key: each.value.string_value for each in root.attributes}
    assert named == {
        "heliograph.exchange": "kraken",
        "heliograph.symbol": "SOL/USD",
        "heliograph.kind": "momentum",
        "heliograph.id": f"kraken:SOL~USD:momentum:1:{TS}",
    }
    assert {root.trace_id} == {each.trace_id for each in spans}
    assert {root.span_id} == {each.parent_span_id for each in spans if each is not root}


def test_a_tick_that_was_claimed_before_shows_no_way_through_the_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with collecting(monkeypatch) as spans, sampling(1.0) as tracer:
        tracer.tell(told(msgspec.structs.replace(WAY, stored_at=None)), TOLD)
    assert times(spans)["wait"] == (5_500, 8_000)
    assert set(times(spans)) == {"signal", "receive", "wait", "compute", "tell"}


def test_a_venue_whose_clock_is_ahead_makes_no_trace_that_ends_before_it_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with collecting(monkeypatch) as spans, sampling(1.0) as tracer:
        tracer.tell(told(msgspec.structs.replace(WAY, ts=TS + 20_000)), TOLD)
    assert (5_500, 9_400) == times(spans)["signal"]
    assert all(began <= ended for began, ended in times(spans).values())


async def test_what_no_trace_can_be_made_of_is_published_all_the_same(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collecting(monkeypatch) as spans, sampling(1.0) as tracer, capture_logs() as logs:
        async with publishing.opened(redis_url) as bus:
            announcer = Announcer(bus, clock=lambda: TOLD, tracer=tracer)
            announcer.tell([msgspec.structs.replace(told(WAY), data="{}"), told(WAY, 2)])
            announcer.close()
            await announcer.run()
    assert (2, 6) == (announcer.published, len(spans))
    assert ["trace.failed"] == [each["event"] for each in logs]


def test_without_opentelemetry_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigurationError, match="pip install"), sampling(1.0):
        pass


@pytest.mark.parametrize("data", ["null", told(None).data])
def test_what_is_computed_again_is_no_trace(monkeypatch: pytest.MonkeyPatch, data: str) -> None:
    with collecting(monkeypatch) as spans, sampling(1.0) as tracer:
        tracer.tell(msgspec.structs.replace(told(None), data=data), TOLD)
    assert not spans


def test_so_many_are_told_as_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting(monkeypatch) as spans, sampling(0.5) as tracer:
        for offset in range(200):
            tracer.tell(told(WAY, offset), TOLD)
    traces = {each.trace_id for each in spans}
    assert 50 < len(traces) < 150
    assert len(spans) == 6 * len(traces)
