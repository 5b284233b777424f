import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.offered import NOTHING, Offered, Tally, count

TRADE, QUOTE, DEPTH = Offered(trades=1), Offered(quotes=1), Offered(depths=1)

# https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
# https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
# https://docs.kraken.com/api/docs/websocket-v1/trade and /websocket-v2/trade
COUNTED = [
    ("binance", '{"stream":"bnbbtc@trade","data":{"e":"trade","t":12345}}', TRADE),
    ("binance", '{"stream":"bnbusdt@bookTicker","data":{"u":400900217}}', QUOTE),
    ("binance", '{"stream":"bnbbtc@depth","data":{"e":"depthUpdate"}}', DEPTH),
    ("binance", '{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate"}}', DEPTH),
    ("binance", '{"stream":"bnbbtc@aggTrade","data":{"e":"aggTrade","a":12345}}', NOTHING),
    ("binance", '{"stream":"bnbbtc@depth20@100ms","data":{"lastUpdateId":160}}', NOTHING),
    ("binance", '{"result":null,"id":1}', NOTHING),
    ("coinbase", '{"type":"match","trade_id":10,"product_id":"BTC-USD"}', TRADE),
    ("coinbase", '{"type":"last_match","trade_id":9,"product_id":"BTC-USD"}', TRADE),
    ("coinbase", '{"type":"ticker","product_id":"ETH-USD","best_bid":"1285.04"}', QUOTE),
    ("coinbase", '{"type":"snapshot","product_id":"BTC-USD","bids":[],"asks":[]}', DEPTH),
    ("coinbase", '{"type":"l2update","product_id":"BTC-USD","changes":[]}', DEPTH),
    ("coinbase", '{"type":"heartbeat","sequence":90,"product_id":"BTC-USD"}', NOTHING),
    ("coinbase", '{"type":"subscriptions","channels":[]}', NOTHING),
    ("kraken", '[0,[["5541.2","0.1","1534614057.32","s","l",""]],"trade","XBT/USD"]', TRADE),
    (
        "kraken",
        '[0,[["1","1","1","s","l",""],["2","1","1","b","m",""]],"trade","XBT/USD"]',
        Offered(trades=2),
    ),
    ("kraken", '[0,{"a":["5525.4",1,"1.0"],"b":["5525.1",1,"1.0"]},"ticker","XBT/USD"]', QUOTE),
    ("kraken", '[0,["5698.4","5700.0","1542057299.5","1.0","2.0"],"spread","XBT/USD"]', QUOTE),
    ("kraken", '[0,{"as":[],"bs":[]},"book-100","XBT/USD"]', DEPTH),
    ("kraken", '[1234,{"a":[]},{"b":[],"c":"974942666"},"book-10","XBT/USD"]', DEPTH),
    ("kraken", '[42,["1542057314.7"],"ohlc-5","XBT/USD"]', NOTHING),
    ("kraken", '{"event":"heartbeat"}', NOTHING),
    ("kraken", '{"channel":"trade","type":"update","data":[{"symbol":"MATIC/USD"},{}]}', Offered(trades=2)),
    ("kraken", '{"channel":"ticker","type":"snapshot","data":[{"symbol":"ALGO/USD"}]}', QUOTE),
    ("kraken", '{"channel":"book","type":"update","data":[{"symbol":"MATIC/USD"}]}', DEPTH),
    ("kraken", '{"channel":"status","type":"update","data":[{"system":"online"}]}', NOTHING),
]


@pytest.mark.parametrize(("venue", "text", "offered"), COUNTED)
def test_a_message_offers_what_its_venue_documents(venue: str, text: str, offered: Offered) -> None:
    assert offered == count(venue, json.loads(text))


scalars = (
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["trade", "ticker", "book-10"])
)
keys = st.sampled_from(["stream", "type", "channel", "data", "event"]) | st.text()
json_values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner))


@pytest.mark.slow
@given(st.sampled_from(["binance", "coinbase", "kraken"]), json_values)
def test_any_json_can_be_counted(venue: str, message: object) -> None:
    assert min(count(venue, message)) >= 0


def test_a_tally_adds_up_by_kind() -> None:
    tally = Tally()
    for offered in (TRADE, TRADE, QUOTE, DEPTH, NOTHING):
        tally.add(offered)
    assert Offered(trades=2, quotes=1, depths=1) == tally.total
