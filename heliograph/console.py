"""What the operator sees: the page's address, and a line a role, drawn anew on a terminal."""

import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Protocol

from heliograph.supervisor import Change, State

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

SILENT_AFTER_SECONDS = 10.0


class Console(Protocol):
    """Shows how the stack does."""

    def headline(self, address: str, note: str) -> None:
        """Show where the page is; the first thing ever shown."""

    def change(self, change: Change) -> None:
        """Show that a program started, died, or stopped."""

    def beat(self, program: str, age_seconds: float, text: str) -> None:
        """Show what a running program last told of itself."""

    def total(self, program: str, text: str) -> None:
        """Show what a program that has ended counted last."""

    def say(self, text: str) -> None:
        """Show a sentence."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class PlainConsole:
    """Lines, for logs and pipes: who works, who died, and at the end the totals."""

    def __init__(self, output: IO[str]) -> None:
        """Write to ``output``."""
        self._output = output
        self._beating: set[str] = set()
        self._died: set[str] = set()

    def headline(self, address: str, note: str) -> None:
        """Print where the page is."""
        self.say(f"{address}  {note}")

    def change(self, change: Change) -> None:
        """Print that a program died, and that it was started again."""
        self._beating.discard(change.program)
        if change.state is State.DIED:
            self._died.add(change.program)
            self.say(f"{change.program} died (pid {change.pid}): {change.detail}")
        elif change.state is State.STARTED and change.program in self._died:
            self.say(f"{change.program} started again (pid {change.pid})")

    def beat(self, program: str, age_seconds: float, text: str) -> None:  # noqa: ARG002 - totals come last
        """Print that a program works, the first time, or that it fell silent."""
        silent = age_seconds > SILENT_AFTER_SECONDS
        if silent and program in self._beating:
            self._beating.discard(program)
            self.say(f"{program} silent for {age_seconds:.0f} s")
        elif not silent and program not in self._beating:
            self._beating.add(program)
            self.say(f"{program} works")

    def total(self, program: str, text: str) -> None:
        """Print what a program counted."""
        self.say(f"{program}: {text}")

    def say(self, text: str) -> None:
        """Print a line; a reader that went away, as `head` does, must not keep the stack from its order."""
        with suppress(BrokenPipeError):
            self._output.write(f"{text}\n")
            self._output.flush()

    def close(self) -> None:
        """Do nothing."""


class LiveConsole:
    """A table that is drawn in place, for people."""

    def __init__(self, output: IO[str]) -> None:
        """Draw on ``output``, from the headline on."""
        self._output = output
        self._since: dict[str, float] = {}
        self._rows: dict[str, tuple[str, str]] = {}
        self._live: Live | None = None

    def headline(self, address: str, note: str) -> None:
        """Print where the page is, above all else, and begin to draw."""
        from rich.console import Console as RichConsole
        from rich.live import Live

        screen = RichConsole(file=self._output)
        screen.print(f"[bold]Heliograph[/]  {address}  {note}", soft_wrap=True)
        self._live = Live(self._table(), console=screen, refresh_per_second=4)
        self._live.start()

    def change(self, change: Change) -> None:
        """Draw what happened to a program."""
        state = f"[red]{change.state}[/]" if change.state is State.DIED else str(change.state)
        self._since[change.program] = time.monotonic()
        self._draw(change.program, state, change.detail or f"pid {change.pid}")

    def beat(self, program: str, age_seconds: float, text: str) -> None:
        """Draw what a program counts."""
        silent = age_seconds > SILENT_AFTER_SECONDS
        state = f"[yellow]silent {age_seconds:.0f} s[/]" if silent else "[green]works[/]"
        self._draw(program, state, text)

    def total(self, program: str, text: str) -> None:
        """Draw what a program counted."""
        self._draw(program, str(State.STOPPED), text)

    def say(self, text: str) -> None:
        """Print a line above the table."""
        if self._live is None:
            self._output.write(f"{text}\n")
        else:
            self._live.console.print(text)

    def close(self) -> None:
        """Draw a last time and let go of the terminal."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _draw(self, program: str, state: str, text: str) -> None:
        self._rows[program] = (state, text)
        if self._live is not None:
            self._live.update(self._table())

    def _table(self) -> "Table":
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        for heading in ("role", "state", "up", ""):
            table.add_column(heading)
        for program, (state, text) in self._rows.items():
            seconds = time.monotonic() - self._since.get(program, time.monotonic())
            table.add_row(program, state, f"{seconds:.0f} s", text)
        return table


def suitable(output: IO[str]) -> Console:
    """Return the console that fits ``output``."""
    return LiveConsole(output) if output.isatty() else PlainConsole(output)
