"""``python -m heliograph`` and the command ``heliograph``."""

import os
import signal
import sys


def main() -> None:
    """Run the command line."""
    # Until a command listens for itself, Ctrl-C ends it at once: 130, as `heliograph.endings` says.
    signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(130))
    from heliograph.cli import app
    from heliograph.endings import ending

    sys.exit(ending(lambda: app(prog_name="heliograph", standalone_mode=False)))


if __name__ == "__main__":
    main()
