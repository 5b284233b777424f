"""An isolation forest as plain arrays, and how it scores.

The score is that of F. T. Liu, K. M. Ting, Z.-H. Zhou, *Isolation Forest* (ICDM 2008): 2 to the power of
minus the mean path length over that of an unsuccessful search, so that 1 is easily isolated and 0.5 is
usual. Everything is done element by element, and trees are added one by one: a row has the same score to
the last bit in whatever company it is scored. scikit-learn grows the trees, and is not needed here.
"""

from collections.abc import Sequence
from math import log
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from workers.models.features import Row

Whole = NDArray[np.int32]
Real = NDArray[np.float64]

LEAF: Final = -1
AT_ONCE: Final = 256
"""Rows that are scored together: it bounds memory, and changes no score."""

_EULER: Final = 0.5772156649015329
_PAIR: Final = 2


class Forest(msgspec.Struct, frozen=True, eq=False):
    """Trees, one after another, node by node.

    ``roots`` says where each begins. ``left`` and ``right`` are a node's children, LEAF at a leaf. ``number``
    is a node's threshold, to whose left go values up to it; at a leaf, the path length that ends there.
    """

    max_samples: int
    roots: Whole
    left: Whole
    right: Whole
    feature: Whole
    number: Real

    def scores(self, rows: Sequence[Row]) -> list[float]:
        """Return the score of each row, in (0, 1]."""
        usual = len(self.roots) * average_path(self.max_samples)
        return [2.0 ** (-length / usual) for length in self.path_lengths(rows)]

    def path_lengths(self, rows: Sequence[Row]) -> list[float]:
        """Return for each row the sum of its path lengths over all trees."""
        lengths: list[float] = []
        for start in range(0, len(rows), AT_ONCE):
            lengths += self._path_lengths(rows[start : start + AT_ONCE])
        return lengths

    def _path_lengths(self, rows: Sequence[Row]) -> list[float]:
        leaves = self._leaves(rows)
        total = np.zeros(len(rows))
        for tree in range(len(self.roots)):
            total += self.number[leaves[:, tree]]
        return [float(length) for length in total]

    def _leaves(self, rows: Sequence[Row]) -> NDArray[np.intp]:
        """Return the leaf of each row in each tree."""
        # The trees were grown on float32, and compare it with thresholds of 64 bits.
        values = np.asarray(rows, dtype=np.float32).astype(np.float64)
        nodes = np.tile(self.roots.astype(np.intp), (len(rows), 1))
        numbers = np.arange(len(rows))[:, None]
        while (inner := self.left[nodes] != LEAF).any():
            goes_left = values[numbers, self.feature[nodes]] <= self.number[nodes]
            below = np.where(goes_left, self.left[nodes], self.right[nodes])
            nodes = np.where(inner, below, nodes)
        return nodes


def average_path(samples: int) -> float:
    """Return the mean path length of an unsuccessful search among ``samples``: c(n) of the paper."""
    if samples < _PAIR:
        return 0.0
    if samples == _PAIR:
        return 1.0
    return 2.0 * (log(samples - 1.0) + _EULER) - 2.0 * (samples - 1.0) / samples
