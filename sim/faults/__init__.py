"""What can go wrong at a venue: on command or by a script, and the same for the same seed."""

from sim.faults.connections import Disconnect, HalfOpen, Reset
from sim.faults.fault import Fault
from sim.faults.histories import RateLimit, ShortHistory, SlowHistory
from sim.faults.streams import Delay, Drop, Duplicate, Gap, Mute, Reorder
from sim.faults.texts import Checksum, Malformed, Truncated

FAULTS: tuple[type[Fault], ...] = (
    Drop,
    Duplicate,
    Reorder,
    Delay,
    Mute,
    Gap,
    Disconnect,
    Reset,
    HalfOpen,
    Malformed,
    Truncated,
    Checksum,
    RateLimit,
    ShortHistory,
    SlowHistory,
)
"""Every kind, in the order of the documents."""

KINDS = {fault.kind: fault for fault in FAULTS}
