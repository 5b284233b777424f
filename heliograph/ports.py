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
                raise StackError(_cannot_listen(host, port, exc)) from exc
            message = f"port {port} is taken by {_owner(port)}: stop it, or choose another with --port"
            raise StackError(message) from exc


def any_free(host: str) -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        try:
            probe.bind((host, 0))
        except OSError as exc:
            raise StackError(_cannot_listen(host, 0, exc)) from exc
        return int(probe.getsockname()[1])


def chosen(host: str, port: int) -> int:
    """Return ``port``, or for 0 one that nobody listens on."""
    return port or any_free(host)


def preferred_or_free(host: str, port: int) -> int:
    """Return ``port`` if it is free, and otherwise, as for 0, any that is."""
    try:
        demand_free(host, port)
    except StackError:
        return any_free(host)
    return chosen(host, port)


def _cannot_listen(host: str, port: int, error: OSError) -> str:
    return f"cannot listen on {host}:{port}: {error.strerror}; set HELIOGRAPH_API_HOST, or choose --port"


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
