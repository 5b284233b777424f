"""What every signal must be, whoever wrote the kind: what is unsound must not reach the claim."""

from math import isfinite

from market.errors import UnsoundSignalError
from market.signals import Signal
from workers.kinds.fold import AnyFold


def check(fold: AnyFold, signal: Signal, ts: int) -> None:
    """Raise UnsoundSignalError when ``signal``, decided by ``fold`` at ``ts``, says what none may say."""
    for reason, wrong in _faults(fold, signal, ts):
        if wrong:
            message = f"{fold.kind} told a signal {reason}: mend the kind, then requeue its dead letter"
            raise UnsoundSignalError(message)


def _faults(fold: AnyFold, signal: Signal, ts: int) -> list[tuple[str, bool]]:
    return [
        (f"of kind {signal.kind!r}", signal.kind != fold.kind),
        (f"of version {signal.version}, not {fold.version}", signal.version != fold.version),
        (f"at {signal.ts}, not at {ts}, when it was decided", signal.ts != ts),
        (f"of strength {signal.strength}, not within -1 and 1", not -1.0 <= signal.strength <= 1.0),
        (f"of confidence {signal.confidence}, not within 0 and 1", not 0.0 <= signal.confidence <= 1.0),
        (f"at the price {signal.price}", not isfinite(signal.price)),
        ("whose evidence is not finite", not all(map(isfinite, signal.evidence.values()))),
        ("whose input ends before it begins", not signal.from_ts <= signal.to_ts <= ts),
    ]
