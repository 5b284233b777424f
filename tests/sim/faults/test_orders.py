import pytest

from market.errors import InvalidInputError
from sim.faults.orders import Order, from_json, from_script


@pytest.mark.parametrize(
    ("script", "order"),
    [
        ("gap@10s", Order("gap", 10.0)),
        ("gap@0", Order("gap", 0.0)),
        ("drop@5s+2s:share=0.1", Order("drop", 5.0, 2.0, {"share": "0.1"})),
        (
            "mute@1m+500ms:symbol=BTC/USDT,feed=trades",
            Order("mute", 60.0, 0.5, {"symbol": "BTC/USDT", "feed": "trades"}),
        ),
    ],
)
def test_a_script_says_what_when_for_how_long_and_at_what(script: str, order: Order) -> None:
    assert order == from_script(script)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("gap", "is not KIND@T"),
        ("gap@soon", "is not KIND@T"),
        ("gap@10h", "like 10s, 500ms, or 2m"),
        ("flood@1s", "no fault 'flood' exists; choose one of drop, "),
        ("drop@1s:shares=1", "it takes symbol, feed, share"),
        ("drop@1s:share=much", "fault drop cannot be told"),
        ("reset@1s:count=1", "it takes nothing"),
    ],
)
def test_what_is_no_script_is_refused_with_what_would_be(script: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        from_script(script)


def test_an_order_in_json_is_the_same() -> None:
    body = b'{"kind":"drop","at_seconds":5,"seconds":2,"parameters":{"share":0.1}}'
    assert Order("drop", 5.0, 2.0, {"share": 0.1}) == from_json(body)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"kind":"flood"}', b'{"kind":"gap","parameters":{"x":1}}'])
def test_what_is_no_order_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        from_json(body)
