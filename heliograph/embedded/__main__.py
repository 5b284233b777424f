"""``python -m heliograph.embedded DATA_DIR``: run the embedded stores until standard input ends.

Prints one line of JSON when they are ready: ``{"database_url", "redis_url", "pid"}``, or ``{"error"}``.
``--throwaway`` instead of a folder: quick stores, removed at the end.
"""

import json
import sys
from pathlib import Path

from heliograph.embedded.guardian import guard
from market.errors import StackError


def main(arguments: list[str]) -> int:
    """Run the stores named on the command line; return the exit status."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m heliograph.embedded DATA_DIR|--throwaway\n")
        return 2
    try:
        guard(None if arguments[0] == "--throwaway" else Path(arguments[0]))
    except OSError as exc:
        refusal = f"cannot use {exc.filename or arguments[0]}: {exc.strerror}; choose another --data-dir"
        sys.stdout.write(f"{json.dumps({'error': refusal})}\n")
        return 1
    except StackError as exc:
        sys.stdout.write(f"{json.dumps({'error': str(exc)})}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
