"""What wrk says, as it was written by wrk 4.1."""

import pytest

from bench.loading import of_wrk
from bench.reports import LOST
from market.errors import HeliographError

WRITTEN = """Running 3s test @ http://127.0.0.1:8000
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     6.63ms    9.02ms  98.10ms   96.63%
    Req/Sec     2.63k   331.68     2.94k    93.33%
  Latency Distribution
     50%  850.00us
     75%    6.60ms
     90%    8.48ms
     99%    1.05s
  7867 requests in 3.00s, 117.62MB read
  Socket errors: connect 0, read 1, write 0, timeout 2
  Non-2xx or 3xx responses: 40
Requests/sec:   2621.20
Transfer/sec:     39.19MB
"""


def test_rate_latency_and_what_went_wrong_are_read() -> None:
    assert {"requests/s": 2621.2, "p50 ms": 0.85, "p99 ms": 1050.0, LOST: 43} == of_wrk(WRITTEN)


def test_what_tells_no_rate_is_an_error() -> None:
    with pytest.raises(HeliographError, match="unable to connect"):
        of_wrk("unable to connect to 127.0.0.1:1 Connection refused")
