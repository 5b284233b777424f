"""Whom the stores run as. PostgreSQL refuses to run as root, so root lends it an unprivileged user."""

import os
import pwd
from typing import NamedTuple, TypedDict

from market.errors import StackError

PREFERRED = ("heliograph", "nobody")


class Account(NamedTuple):
    """An existing user without privileges."""

    name: str
    uid: int
    gid: int


class Identity(TypedDict, total=False):
    """The arguments of ``subprocess.Popen`` that change the user."""

    user: int
    group: int
    extra_groups: list[int]


def unprivileged() -> Account | None:
    """Return the user that the stores run as, or None: they run as we do, who are not root."""
    if os.geteuid() != 0:
        return None
    for name in PREFERRED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    message = "PostgreSQL cannot run as root, and there is no user `heliograph`: useradd --system heliograph"
    raise StackError(message)


def identity(account: Account | None) -> Identity:
    """Return how to start a process as ``account``."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}
