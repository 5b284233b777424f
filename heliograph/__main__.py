"""``python -m heliograph`` and the command ``heliograph``."""

import sys

from heliograph.cli import app
from market.errors import HeliographError


def main() -> None:
    """Run the command line; what we raise on purpose becomes a sentence, not a traceback."""
    try:
        app()
    except* HeliographError as failures:
        for line in dict.fromkeys(_messages(failures)):
            sys.stderr.write(f"heliograph: {line}\n")
        sys.exit(1)


def _messages(failures: BaseExceptionGroup[HeliographError]) -> list[str]:
    messages: list[str] = []
    for failure in failures.exceptions:
        messages += _messages(failure) if isinstance(failure, BaseExceptionGroup) else [str(failure)]
    return messages


if __name__ == "__main__":
    main()
