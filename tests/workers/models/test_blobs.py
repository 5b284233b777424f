"""A stored model is numbers, and what is not sound is refused."""

import pickle
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from market.errors import UntrustedModelError
from tests.workers.models.days import generated
from workers.models import blobs, features
from workers.models.blobs import ISOLATION_FOREST, digest, dump, load
from workers.models.forest import Forest
from workers.models.training import Trained, train

ROWS = features.rows(generated(50, seed=3, upset=[5, 6, 40]), features.ALL)


def changed(trained: Trained, **fields: Any) -> bytes:
    """Return the model as bytes, with fields of its body replaced."""
    _, body = msgspec.msgpack.decode(dump(trained.model))
    return encoded({**msgspec.msgpack.decode(body), **fields})


def encoded(body: object, kind: str = ISOLATION_FOREST) -> bytes:
    return msgspec.msgpack.encode([kind, msgspec.msgpack.encode(body)])


def test_a_loaded_model_scores_to_the_last_bit_as_before(trained: Trained) -> None:
    blob = dump(trained.model)
    loaded = load(blob, digest(blob))
    assert trained.model.scores(ROWS) == loaded.scores(ROWS)
    assert blob == dump(loaded)


@pytest.mark.slow
def test_training_again_gives_the_same_bytes() -> None:
    minutes = generated(400)
    assert dump(train(minutes).model) == dump(train(minutes).model)


def test_a_wrong_hash_is_refused(trained: Trained) -> None:
    with pytest.raises(UntrustedModelError, match="its hash is"):
        load(dump(trained.model), digest(b"another"))


@given(st.data())
def test_a_tampered_blob_is_refused(trained: Trained, data: st.DataObject) -> None:
    blob = dump(trained.model)
    at = data.draw(st.integers(0, len(blob) - 1))
    bit = data.draw(st.integers(0, 7))
    tampered = blob[:at] + bytes([blob[at] ^ (1 << bit)]) + blob[at + 1 :]
    with pytest.raises(UntrustedModelError, match="its hash is"):
        load(tampered, digest(blob))


@example(b"\x92\xa1\x80")
@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_be_refused(garbage: bytes) -> None:
    with pytest.raises(UntrustedModelError):
        load(garbage, digest(garbage))


def test_a_pickle_is_never_opened() -> None:
    opened: list[str] = []

    class Trap:
        def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
            return opened.append, ("opened",)

    blob = pickle.dumps(Trap())
    with pytest.raises(UntrustedModelError, match="cannot be read"):
        load(blob, digest(blob))
    assert [] == opened


def test_a_type_that_is_not_on_the_list_is_refused(trained: Trained) -> None:
    _, body = msgspec.msgpack.decode(dump(trained.model))
    blob = msgspec.msgpack.encode(["sklearn.ensemble.IsolationForest", body])
    with pytest.raises(UntrustedModelError, match="its type is 'sklearn"):
        load(blob, digest(blob))


def test_a_model_that_is_too_large_is_refused(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    blob = dump(trained.model)
    monkeypatch.setattr(blobs, "_LARGEST", len(blob) - 1)
    with pytest.raises(UntrustedModelError, match="are the most"):
        load(blob, digest(blob))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"features": ["return", "__import__"]}, "which is no feature"),
        ({"features": []}, "which is no feature"),
        ({"more": 1}, "cannot be read"),
        ({"enter": "high"}, "cannot be read"),
        ({"enter": float("nan")}, "not finite"),
        ({"quantiles": [0.5]}, "not all there"),
        ({"enter": 0.1, "leave": 0.2}, "make no sense"),
        ({"max_samples": 0}, "make no sense"),
        ({"confidence": 2.0}, "make no sense"),
        ({"roots": b""}, "do not belong together"),
        ({"number": b"\0" * 8}, "do not belong together"),
        ({"left": b"\0" * 7}, "cut off"),
        ({"roots": np.array([2**30], "<i4").tobytes()}, "no root"),
        ({"features": ["return"]}, "does not look at"),
    ],
)
def test_a_model_that_makes_no_sense_is_refused(trained: Trained, fields: dict[str, Any], why: str) -> None:
    blob = changed(trained, **fields)
    with pytest.raises(UntrustedModelError, match=why):
        load(blob, digest(blob))


@pytest.mark.parametrize(("left", "right"), [(0, 1), (1, 0), (-7, 1), (1, 9), (-1, 1), (1, -1)])
def test_trees_that_lead_round_or_outside_are_refused(trained: Trained, left: int, right: int) -> None:
    forest = Forest(
        max_samples=2,
        roots=np.array([0], np.int32),
        left=np.array([left, -1, -1], np.int32),
        right=np.array([right, -1, -1], np.int32),
        feature=np.zeros(3, np.int32),
        number=np.ones(3),
    )
    blob = dump(msgspec.structs.replace(trained.model, forest=forest))
    with pytest.raises(UntrustedModelError, match="does not lead down"):
        load(blob, digest(blob))
