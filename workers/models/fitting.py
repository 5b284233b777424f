"""A process of its own that trains one model and ends: minutes in, a model out, both MessagePack.

So that scikit-learn, its memory, and its minutes of arithmetic are in nobody's way.
"""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from market.errors import ModelError, UntrainableError
from market.minutes import Minute
from workers.models.blobs import ISOLATION_FOREST, digest, dump
from workers.models.growing import libraries
from workers.models.training import train

_REFUSED = 3


class Fitted(msgspec.Struct, frozen=True):
    """A trained model as it is stored, with what is stored beside it."""

    type: str
    features: tuple[str, ...]
    metrics: dict[str, float]
    libraries: Mapping[str, str]
    blob: bytes

    @property
    def sha256(self) -> str:
        """Return the hash of the blob."""
        return digest(self.blob)


def fitted(minutes: Sequence[Minute]) -> Fitted:
    """Train here and now; raises UntrainableError."""
    trained = train(minutes)
    return Fitted(
        type=ISOLATION_FOREST,
        features=trained.model.features,
        metrics=msgspec.to_builtins(trained.metrics),
        libraries=libraries(),
        blob=dump(trained.model),
    )


async def fitted_aside(minutes: Sequence[Minute]) -> Fitted:
    """Train in a process of its own, which ends with this task; raises UntrainableError, ModelError."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workers.models.fitting"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        answer, complaint = await process.communicate(msgspec.msgpack.encode(minutes))
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode == _REFUSED:
        raise UntrainableError(answer.decode())
    if process.returncode:
        last = complaint.decode(errors="replace").strip().rpartition("\n")[2]
        message = f"training ended with status {process.returncode}: {last}"
        raise ModelError(message)
    return msgspec.msgpack.decode(answer, type=Fitted)


def main() -> None:
    """Read minutes, train, write the model; status 3 and a reason when they are too few."""
    minutes = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=list[Minute])
    try:
        sys.stdout.buffer.write(msgspec.msgpack.encode(fitted(minutes)))
    except UntrainableError as error:
        sys.stdout.write(str(error))
        sys.exit(_REFUSED)


if __name__ == "__main__":
    main()
