"""The metrics of one process, made from the declared table."""

from collections.abc import Mapping
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from runtime.declared import TABLE, Kind, Metric

_Made = TypeVar("_Made", Counter, Gauge, Histogram)


class Metrics:
    """The metrics of one role, living in one registry; given to whoever counts."""

    def __init__(self, role: str = "api") -> None:
        """Make every metric that the table gives to the role."""
        self.role = role
        self.registry = CollectorRegistry()
        self._made: Mapping[str, Counter | Gauge | Histogram] = {
            row.name: self._make(row) for row in TABLE if role in row.roles
        }

    def counter(self, name: str) -> Counter:
        """Return the counter of that name; raises KeyError or TypeError for what the table does not say."""
        return _of(Counter, self._made[name])

    def gauge(self, name: str) -> Gauge:
        """Return the gauge of that name."""
        return _of(Gauge, self._made[name])

    def histogram(self, name: str) -> Histogram:
        """Return the histogram of that name."""
        return _of(Histogram, self._made[name])

    def _make(self, row: Metric) -> Counter | Gauge | Histogram:
        if row.kind is Kind.HISTOGRAM:
            return Histogram(
                row.name, row.documentation, row.labels, buckets=row.buckets, registry=self.registry
            )
        make = Counter if row.kind is Kind.COUNTER else Gauge
        return make(row.name, row.documentation, row.labels, registry=self.registry)


def _of(wanted: type[_Made], metric: object) -> _Made:
    if not isinstance(metric, wanted):
        message = f"this metric is no {wanted.__name__.lower()}"
        raise TypeError(message)
    return metric
