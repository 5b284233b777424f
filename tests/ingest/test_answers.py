"""Which subscriptions are answered, and whose a refusal is."""

from ingest.answers import Answers
from ingest.venues.binance import Binance
from ingest.venues.kraken import Kraken
from ingest.venues.venue import Decoded, Refusal

PAIRS = ("BTC/USD", "ETH/USD")


def asked(answers: Answers, *pairs: str) -> list[str]:
    """Ask Kraken for these pairs, and return the keys of the answers that are due."""
    kraken = Kraken()
    subscriptions = kraken.subscriptions([kraken.instrument(pair) for pair in pairs])
    answers.ask(subscriptions, pairs)
    return [key for subscription in subscriptions for key in subscription.keys]


def test_nothing_is_complete_before_something_was_asked() -> None:
    answers = Answers()
    assert {} == answers.note(Decoded(acknowledged=("trade:BTC/USD",)))
    assert (False, 0) == (answers.complete, answers.acknowledged)


def test_everything_is_complete_with_the_last_answer() -> None:
    answers = Answers()
    first, *others = asked(answers, *PAIRS)
    answers.note(Decoded(acknowledged=others))
    assert (False, first) == (answers.complete, answers.missing)
    answers.note(Decoded(acknowledged=(first,)))
    assert (True, "", 6) == (answers.complete, answers.missing, answers.acknowledged)


def test_a_refusal_that_names_a_symbol_is_that_symbols() -> None:
    answers = Answers()
    keys = asked(answers, *PAIRS)
    bad = [key for key in keys if key.endswith("ETH/USD")]
    told = answers.note(Decoded(refused=[Refusal(key, "no such pair") for key in bad]))
    assert {"ETH/USD": "no such pair"} == told == answers.refused
    answers.note(Decoded(acknowledged=[key for key in keys if key not in bad]))
    assert answers.complete


def test_a_refusal_that_names_none_is_of_all_and_certain_only_of_one() -> None:
    binance, answers = Binance(), Answers()
    both = [binance.instrument(symbol) for symbol in ("BTC/USDT", "ETH/USDT")]
    answers.ask(binance.subscriptions(both), ["BTCUSDT", "ETHUSDT"])
    assert {} == answers.note(Decoded(refused=(Refusal("1", "Invalid request"),)))
    assert {"BTCUSDT", "ETHUSDT"} == set(answers.refused)
    answers.ask(binance.subscriptions(both[:1]), ["BTCUSDT"])
    assert {"ETHUSDT"} == set(answers.refused)
    assert {"BTCUSDT": "Invalid symbol"} == answers.note(Decoded(refused=(Refusal("1", "Invalid symbol"),)))


def test_a_refusal_of_what_was_not_asked_is_nobodys() -> None:
    answers = Answers()
    keys = asked(answers, "BTC/USD")
    assert {} == answers.note(Decoded(refused=(Refusal("trade:SOL/USD", "not subscribed"),)))
    assert not answers.complete
    answers.note(Decoded(acknowledged=keys))
    assert {} == answers.note(Decoded(refused=(Refusal("book:BTC/USD", "already subscribed"),)))
    assert {} == answers.refused


def test_what_is_not_answered_is_the_trouble_of_its_own_symbol() -> None:
    answers = Answers()
    keys = asked(answers, *PAIRS)
    answers.note(Decoded(acknowledged=[key for key in keys if key.endswith("BTC/USD")]))
    assert [True, False] == [answers.accepts(pair) for pair in PAIRS]
    assert not answers.settled
    answers.give_up()
    assert [True, False] == [answers.accepts(pair) for pair in PAIRS]
    assert (True, "no answer about ETH/USD") == (answers.settled, answers.troubles)


def test_what_was_given_up_and_asked_again_is_in_order_with_its_last_answer() -> None:
    answers = Answers()
    asked(answers, *PAIRS)
    answers.give_up()
    answers.note(Decoded(acknowledged=("trade:BTC/USD",)))
    assert set(PAIRS) == answers.silent
    first, *others = asked(answers, "ETH/USD")
    answers.note(Decoded(acknowledged=others))
    assert (False, True, False) == (answers.complete, answers.settled, answers.accepts("ETH/USD"))
    answers.note(Decoded(acknowledged=(first,)))
    assert (True, True, {"BTC/USD"}) == (answers.complete, answers.accepts("ETH/USD"), answers.silent)
    answers.forget(["BTC/USD"])
    assert "" == answers.troubles
