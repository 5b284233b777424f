"""What every signal must be, whoever wrote the kind: what is unsound must not reach the claim."""

from math import isfinite

import msgspec

from market.errors import UnsoundSignalError
from market.signals import Signal
from workers.kinds.fold import AnyFold
from workers.kinds.reading import Reading


def check(fold: AnyFold, signal: Signal, ts: int) -> None:
    """Raise UnsoundSignalError when ``signal``, decided by ``fold`` at ``ts``, says what none may say."""
    _check_types(fold, signal)
    for reason, wrong in _faults(fold, signal, ts):
        if wrong:
            raise UnsoundSignalError(_message(fold, reason))


def _check_types(fold: AnyFold, signal: Signal) -> None:
    """Demand plain numbers and words: a number of numpy, say, can be added to but not written down."""
    try:
        msgspec.convert(msgspec.to_builtins(signal), Signal)
    except (TypeError, ValueError, msgspec.ValidationError) as error:
        raise UnsoundSignalError(_message(fold, f"that cannot be kept: {error}")) from error


def _message(fold: AnyFold, reason: str) -> str:
    return f"{fold.kind} told a signal {reason}: mend the kind, then requeue its dead letter"


def _faults(fold: AnyFold, signal: Signal, ts: int) -> list[tuple[str, bool]]:
    return [
        (f"of kind {signal.kind!r}", signal.kind != fold.kind),
        (f"of version {signal.version}, not {fold.version}", signal.version != fold.version),
        (f"at {signal.ts}, not at {ts}, when it was decided", signal.ts != ts),
        (f"of strength {signal.strength}, not within -1 and 1", not -1.0 <= signal.strength <= 1.0),
        (f"of confidence {signal.confidence}, not within 0 and 1", not 0.0 <= signal.confidence <= 1.0),
        (f"at the price {signal.price}", not isfinite(signal.price)),
        ("whose evidence is not finite", not all(map(isfinite, signal.evidence.values()))),
        ("whose evidence has a name with a zero byte", any("\0" in name for name in signal.evidence)),
        (f"whose input begins at {signal.from_ts}, before 1970", signal.from_ts < 0),
        ("whose input ends before it begins", not signal.from_ts <= signal.to_ts <= ts),
    ]


def is_finite(reading: Reading) -> bool:
    """Tell whether a reading can be kept: numbers beyond a double are none that anybody could read back."""
    return isfinite(reading.confidence) and all(map(isfinite, reading.evidence.values()))
