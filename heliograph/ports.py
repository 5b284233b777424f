"""Find out whether a port is free, and who has it if not."""

import errno
import socket

from market.errors import StackError


def demand_free(host: str, port: int) -> None:
    """Raise StackError, naming the process that listens there, if ``port`` is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE:
                message = f"cannot listen on {host}:{port}: {exc.strerror}"
                raise StackError(message) from exc
            message = f"port {port} is taken by {_owner(port)}: stop it, or choose another with --port"
            raise StackError(message) from exc


def any_free(host: str) -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def preferred_or_free(host: str, port: int) -> int:
    """Return ``port`` if it is free, and otherwise any that is."""
    try:
        demand_free(host, port)
    except StackError:
        return any_free(host)
    return port


def _owner(port: int) -> str:
    import psutil

    for connection in psutil.net_connections(kind="tcp"):
        listens = connection.status == psutil.CONN_LISTEN and tuple(connection.laddr)[1:2] == (port,)
        if listens and connection.pid:
            return f"process {connection.pid} ({_command(connection.pid)})"
    return "a process of another user"


def _command(pid: int) -> str:
    import psutil

    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return "unknown"
