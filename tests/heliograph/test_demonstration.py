import pytest
from typer import BadParameter

from heliograph import demonstration
from heliograph.demonstration import Market


def test_a_market_is_made_up_with_what_goes_wrong_at_it() -> None:
    market = Market("kraken", 60.0, 7, 200.0, faults=("gap@10s", "drop@5s:share=0.1"))
    expected = [
        *("--venue", "kraken", "--generate", "--seed", "7", "--seconds", "60.0", "--rate", "200.0"),
        *("--fault", "gap@10s", "--fault", "drop@5s:share=0.1"),
    ]
    assert expected == market.arguments()


def test_a_profile_takes_the_place_of_the_rate() -> None:
    arguments = Market("binance", 60.0, 7, 200.0, "earnings").arguments()
    assert ["--profile", "earnings"] == arguments[-2:]
    assert "--rate" not in arguments


def test_what_can_be_is_taken_as_it_is() -> None:
    assert ("earnings", None) == (demonstration.profile("earnings"), demonstration.profile(None))
    assert (["gap@10s"], None) == (demonstration.faults(["gap@10s"]), demonstration.faults(None))


def test_what_cannot_be_is_refused_before_anything_starts() -> None:
    with pytest.raises(BadParameter, match="no profile; there is earnings"):
        demonstration.profile("crash")
    with pytest.raises(BadParameter, match="no fault 'flood' exists"):
        demonstration.faults(["gap@10s", "flood@1s"])
