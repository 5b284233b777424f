from workers.portions import TICKS_A_CLAIM, Portion


def test_each_failure_halves_what_is_taken_but_never_to_nothing() -> None:
    portion = Portion()
    taken = []
    for _ in range(20):
        taken.append((portion.ticks, portion.shards(4)))
        portion.failed()
    assert [(TICKS_A_CLAIM, 4), (TICKS_A_CLAIM // 2, 2), (TICKS_A_CLAIM // 4, 1)] == taken[:3]
    assert (TICKS_A_CLAIM // 64, 1) == taken[-1]


def test_as_claims_succeed_as_much_is_taken_as_before() -> None:
    portion = Portion()
    for _ in range(3):
        portion.failed()
    taken = []
    for _ in range(40):
        taken.append(portion.ticks)
        portion.succeeded()
    assert taken == sorted(taken)
    assert [TICKS_A_CLAIM // 8, TICKS_A_CLAIM] == [taken[0], taken[-1]]
