"""How a command ends: with a sentence instead of a traceback, and a status that says why."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator

from typer.exceptions import TyperException

MISTYPED = 2
MISCONFIGURED = 78
"""EX_CONFIG of sysexits.h: the same environment fails again, so nobody starts this program anew."""

INTERRUPTED = 130
"""128 and the number of SIGINT, as shells say it."""


def ending(command: Callable[[], object]) -> int:
    """Run a command to its end and return the exit status. What nobody expected is raised on."""
    try:
        status = command()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as failure:  # noqa: BLE001 - it is told, or raised again
        return _told(failure)
    return status if isinstance(status, int) else 0


def _told(failure: Exception) -> int:
    endings = [_ending(each) for each in _leaves(failure)]
    if None in endings:
        raise failure
    known = [each for each in endings if each is not None]
    _say(line for line, _ in known)
    return max(status for _, status in known)


def _leaves(failure: BaseException) -> Iterator[BaseException]:
    if isinstance(failure, BaseExceptionGroup):
        for each in failure.exceptions:
            yield from _leaves(each)
    else:
        yield failure


def _ending(failure: BaseException) -> tuple[str, int] | None:
    """Return the sentence and the status of a failure, or None for an error of ours."""
    if isinstance(failure, TyperException):
        return _mistyped(failure), failure.exit_code
    if isinstance(failure, BrokenPipeError):
        _forget_the_reader()
        return "", 1
    return _failed(failure)


def _failed(failure: BaseException) -> tuple[str, int] | None:
    from market.errors import ConfigurationError, HeliographError
    from runtime.settings import BadSettingError

    if isinstance(failure, (BadSettingError, ConfigurationError)):
        return str(failure), MISCONFIGURED
    if isinstance(failure, HeliographError):
        return str(failure), 1
    if isinstance(failure, OSError) and failure.filename is not None:
        return f"cannot use {failure.filename}: {failure.strerror}", 1
    return None


def _mistyped(failure: TyperException) -> str:
    """Return what is wrong with the command line; where there is only a beginning, the help."""
    message = failure.format_message()
    if message.startswith("Usage: "):
        sys.stderr.write(f"{message}\n")
        return ""
    command = getattr(getattr(failure, "ctx", None), "command_path", "heliograph")
    return f"{message.rstrip('.')}; `{command} --help` says more"


def _forget_the_reader() -> None:
    """Whoever read our output has gone; nothing is to fail again when Python flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(lines: Iterable[str]) -> None:
    for line in dict.fromkeys(lines):
        if line:
            sys.stderr.write(f"heliograph: {line}\n")
