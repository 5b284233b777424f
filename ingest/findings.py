"""What a connection found out about itself: what it proves, and what it misses."""

from collections.abc import Iterable, Sequence

import msgspec

from market.coverage import Proof
from market.gaps import Finding


class Notes:
    """Where findings are written down until they are taken."""

    def __init__(self) -> None:
        self.proofs: list[Proof] = []
        self.gaps: list[Finding] = []

    def take(self) -> "Findings":
        """Return what was written since the last time."""
        if not self.proofs and not self.gaps:
            return NOTHING
        findings = Findings(self.proofs, self.gaps)
        self.proofs, self.gaps = [], []
        return findings


class Findings(msgspec.Struct, frozen=True):
    """Proofs that were extended, and gaps, in the order in which they were found."""

    proofs: Sequence[Proof] = ()
    gaps: Sequence[Finding] = ()


NOTHING = Findings()


def merged(every: Iterable[Findings]) -> Findings:
    """Return the end results of findings in their order: the longest of each proof, the last of each gap.

    However findings are split into parts that are merged, what comes of them is the same.
    """
    proofs: dict[tuple[int, str, int], Proof] = {}
    gaps: dict[tuple[int, str, int, int | None], Finding] = {}
    for findings in every:
        for proof in findings.proofs:
            key = proof.instrument_id, proof.kind, proof.from_ts
            proofs[key] = max(proofs.get(key, proof), proof, key=_end)
        for gap in findings.gaps:
            gaps[gap.key] = _later(gaps.get(gap.key), gap)
    return Findings(list(proofs.values()), list(gaps.values())) if proofs or gaps else NOTHING


def _end(proof: Proof) -> int:
    return proof.to_ts


def _later(earlier: Finding | None, later: Finding) -> Finding:
    """Return the later finding of one gap; a gap keeps the cause that it was opened for."""
    return msgspec.structs.replace(later, cause=earlier.cause) if earlier else later
