from market.times import SECOND
from sim.faults.injector import Injector, State
from sim.faults.orders import Order, from_script
from sim.messages import Message


def injector(*scripts: str) -> Injector:
    return Injector(7, map(from_script, scripts), list)


def states(of: Injector) -> list[State]:
    return [each.state for each in of.all]


def test_a_fault_lasts_from_its_place_on_the_tape_as_long_as_was_said() -> None:
    faults = injector("drop@5s+2s")
    told = []
    for place in (4.9, 5.0, 6.9, 7.0):
        faults.advance(place, 0)
        told += states(faults)
    assert [State.WAITING, State.ACTIVE, State.ACTIVE, State.OVER] == told


def test_it_ends_by_the_clock_where_the_tape_stands_still() -> None:
    faults = injector("disconnect@5s+2s")
    faults.advance(5.0, 0)
    assert faults.refuses
    faults.advance(None, SECOND)
    assert faults.refuses
    faults.advance(None, 2 * SECOND)
    assert not faults.refuses


def test_a_tape_that_is_late_is_struck_at_the_same_places() -> None:
    faults = injector("drop@5s+2s")
    faults.advance(5.0, 0)
    faults.advance(6.9, 60 * SECOND)
    assert [State.ACTIVE] == states(faults)


def test_an_instant_fault_is_over_at_once() -> None:
    faults = injector("reset@1s")
    faults.advance(1.0, 0)
    assert [State.OVER] == states(faults)


def test_an_order_for_now_begins_at_once() -> None:
    faults = injector()
    faults.advance(3.0, 0)
    told = faults.command(Order("ratelimit"), 4 * SECOND).told()
    assert faults.limits()
    expected = {
        "number": 1,
        "kind": "ratelimit",
        "at_seconds": None,
        "seconds": None,
        "parameters": {},
        "state": "active",
        "begun_at": 4 * SECOND,
        "touched": 0,
    }
    assert expected == told


def test_faults_add_up() -> None:
    faults = injector("mute@0:symbol=A/B", "slow_history@0:by_seconds=2", "slow_history@0:by_seconds=3")
    faults.advance(0.0, 0)
    assert faults.holds_seconds() == 5.0


def test_what_is_held_back_comes_when_the_fault_is_ended() -> None:
    faults = injector("delay@0+1m:by_seconds=50")
    faults.advance(0.0, 0)
    message = Message(0, b"{}")
    assert [message] == list(faults.passed(message, 0))  # without a topic it is not aimed at
    assert [] == faults.end([2])
    assert [] == faults.end([1])
    assert [State.OVER] == states(faults)


def test_each_fault_has_a_chance_of_its_own() -> None:
    faults = injector("ratelimit@0:share=0.5", "ratelimit@0:share=0.5")
    first, second = (each.fault for each in faults.all)
    assert [first.limits() for _ in range(50)] != [second.limits() for _ in range(50)]
