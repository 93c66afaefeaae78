"""The names of workers, which tell those of this machine whether another one of it is gone."""

from __future__ import annotations

import functools
import hashlib
import os
import secrets
import socket
from pathlib import Path


def new_owner() -> str:
    """This process's name in leases: unique, and with enough in it for `is_gone`."""
    return f"{_machine()}:{os.getpid()}:{secrets.token_hex(4)}"


def is_gone(owner: str) -> bool:
    """Whether a lease's owner was a process of this machine that is no more; False where that cannot be told.

    Its number may be another process's by now: the lease then ends by itself, as those of other machines do.
    """
    machine, _, rest = owner.rpartition(":")[0].rpartition(":")
    if machine != _machine() or not rest.isdecimal():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


@functools.cache
def _machine() -> str:
    """The host's name and where process numbers mean the same: since one start, in one process namespace.

    Containers may share a host's name and a database; each has process numbers of its own.
    """
    try:
        same = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        same += str(Path("/proc/self/ns/pid").readlink())
    except OSError:  # not Linux: leases end by themselves there
        same = secrets.token_hex(16)
    return f"{socket.gethostname()[:60]}.{hashlib.sha256(same.encode()).hexdigest()[:8]}"
