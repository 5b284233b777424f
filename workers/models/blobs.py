"""Models at rest: plain numbers in MessagePack, under a hash, and nothing that could run.

Loading builds arrays and nothing else: no pickle, no name of a class to import. What is loaded is of a
type on the list below, its hash is right, its features are known, and every path through its trees goes
down to a leaf, so that scoring ends. Anything else is refused.
"""

from collections.abc import Callable
from hashlib import sha256
from math import isfinite
from typing import Any, Final, NoReturn, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from market.errors import UntrustedModelError
from workers.models import features
from workers.models.forest import LEAF, Forest
from workers.models.isolation import IsolationModel

ISOLATION_FOREST: Final = "isolation-forest/1"
"""The one type there is; the number counts changes of how it is written."""

_Made = TypeVar("_Made")

_LARGEST: Final = 32 * 1024 * 1024
_HUNDREDTHS: Final = 101


class _Envelope(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    type: str
    body: bytes


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Arrays are little-endian: whole numbers of 32 bits, real ones of 64."""

    features: tuple[str, ...]
    enter: float
    leave: float
    confidence: float
    quantiles: tuple[float, ...]
    max_samples: int
    roots: bytes
    left: bytes
    right: bytes
    feature: bytes
    number: bytes


def dump(model: IsolationModel) -> bytes:
    """Return a model as bytes; equal models give equal bytes."""
    forest = model.forest
    body = _Body(
        features=model.features,
        enter=model.enter,
        leave=model.leave,
        confidence=model.confidence,
        quantiles=model.quantiles,
        max_samples=forest.max_samples,
        roots=forest.roots.astype("<i4").tobytes(),
        left=forest.left.astype("<i4").tobytes(),
        right=forest.right.astype("<i4").tobytes(),
        feature=forest.feature.astype("<i4").tobytes(),
        number=forest.number.astype("<f8").tobytes(),
    )
    return msgspec.msgpack.encode(_Envelope(ISOLATION_FOREST, msgspec.msgpack.encode(body)))


def digest(blob: bytes) -> str:
    """Return the hash that names a blob."""
    return sha256(blob).hexdigest()


def load(blob: bytes, expected_digest: str) -> IsolationModel:
    """Return the model that ``blob`` is; raises UntrustedModelError for anything that is not sound."""
    if len(blob) > _LARGEST:
        _refuse(f"it has {len(blob):,} bytes, and {_LARGEST:,} are the most")
    if digest(blob) != expected_digest:
        _refuse(f"its hash is {digest(blob)}, and {expected_digest} was stored beside it")
    envelope = _decoded(blob, _Envelope)
    loader = _LOADERS.get(envelope.type)
    if loader is None:
        _refuse(f"its type is {envelope.type!r}, which is none of {', '.join(_LOADERS)}")
    return loader(envelope.body)


def _isolation_model(encoded: bytes) -> IsolationModel:
    body = _decoded(encoded, _Body)
    forest = Forest(
        max_samples=body.max_samples,
        roots=_array(body.roots, "<i4"),
        left=_array(body.left, "<i4"),
        right=_array(body.right, "<i4"),
        feature=_array(body.feature, "<i4"),
        number=_array(body.number, "<f8"),
    )
    _demand_sense(body)
    _demand_descent(forest, len(body.features))
    return IsolationModel(body.features, body.enter, body.leave, body.confidence, body.quantiles, forest)


_LOADERS: Final[dict[str, Callable[[bytes], IsolationModel]]] = {ISOLATION_FOREST: _isolation_model}


def _decoded(encoded: bytes, kind: type[_Made]) -> _Made:
    try:
        return msgspec.msgpack.decode(encoded, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"a stored model is not loaded: it cannot be read ({error})"
        raise UntrustedModelError(message) from error


def _array(encoded: bytes, kind: str) -> NDArray[Any]:
    if len(encoded) % np.dtype(kind).itemsize:
        _refuse("an array of it is cut off")
    return np.frombuffer(encoded, dtype=kind).astype(np.dtype(kind).newbyteorder("="))


def _demand_sense(body: _Body) -> None:
    unknown = [name for name in body.features if name not in features.ALL]
    if unknown or not body.features:
        _refuse(f"it looks at {', '.join(unknown) or 'nothing'}, which is no feature")
    numbers = (body.enter, body.leave, body.confidence, *body.quantiles)
    if not all(isfinite(number) for number in numbers) or len(body.quantiles) != _HUNDREDTHS:
        _refuse("its thresholds are not finite, or are not all there")
    if body.max_samples < 1 or not body.leave <= body.enter or not 0.0 <= body.confidence <= 1.0:
        _refuse("its thresholds make no sense")


def _demand_descent(forest: Forest, known_features: int) -> None:
    """Refuse trees that lead outside, or round: each child must lie behind its parent."""
    nodes = len(forest.left)
    lengths = {nodes, len(forest.right), len(forest.feature), len(forest.number)}
    if lengths != {nodes} or not len(forest.roots) or not np.isfinite(forest.number).all():
        _refuse("its arrays do not belong together")
    if forest.roots.min() < 0 or forest.roots.max() >= nodes:
        _refuse("a tree of it has no root")
    if forest.feature.min() < 0 or forest.feature.max() >= known_features:
        _refuse("a tree of it asks for a feature that it does not look at")
    leaves = forest.left == LEAF
    here = np.arange(nodes)
    for children in (forest.left, forest.right):
        below = (children > here) & (children < nodes)
        if not np.where(leaves, children == LEAF, below).all():
            _refuse("a tree of it does not lead down")


def _refuse(why: str) -> NoReturn:
    message = f"a stored model is not loaded: {why}; train another: heliograph models train"
    raise UntrustedModelError(message)
