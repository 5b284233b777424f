"""From where on a worker looks for batches: deleted ones are never walked, whoever deleted them. Pure."""

from collections.abc import Iterable, Mapping

from db.claims import Done, Due


class Walks:
    """Remembers of every shard, its own or another's, up to where each writer's batches are done."""

    def __init__(self) -> None:
        self._done: dict[int, dict[int, int]] = {}

    def begin(self) -> Mapping[int, Done]:
        """Return from where on to look."""
        return self._done

    def seen(self, due: Iterable[Due]) -> None:
        """Learn from what waits: a writer's ``seq`` only grows, so before its oldest batch all is done."""
        for each in due:
            for writer, seq in zip(each.writers, each.seqs, strict=True):
                self._know(each.shard, writer, seq - 1)

    def did(self, shard: int, done: Done) -> None:
        """Learn from a head."""
        for writer, seq in done.items():
            self._know(shard, writer, seq)

    def _know(self, shard: int, writer: int, seq: int) -> None:
        known = self._done.setdefault(shard, {})
        known[writer] = max(seq, known.get(writer, 0))
