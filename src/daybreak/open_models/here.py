"""What this machine has, without asking torch: a server tells what fits, and never loads torch."""

from __future__ import annotations

import contextlib
import os
import subprocess
from functools import cache
from pathlib import Path

from daybreak.open_models.memory import Machine

_QUESTION = ("nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits")
_PATIENCE = 5.0  # seconds; a driver that hangs shall not keep a page waiting


def whole_machine() -> Machine:
    """Bytes of memory that this machine has in all, and that its largest NVIDIA GPU has."""
    return Machine(total_memory(), graphics_memory())


def available_memory() -> int:
    """Bytes that this process may still take: the machine's, or less where a control group says so."""
    available = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        available = 1024 * int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1])
    with contextlib.suppress(OSError, ValueError):
        group = Path("/sys/fs/cgroup")
        limit, used = (int((group / name).read_text()) for name in ("memory.max", "memory.current"))
        available = min(available, limit - used)
    return available


def total_memory() -> int:
    """Bytes of memory of the machine, or of the control group that this process is in, whatever is used of them now."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return total


@cache
def graphics_memory() -> int:
    """Bytes of the largest NVIDIA GPU, as its driver says; 0 where there is none."""
    try:
        done = subprocess.run(_QUESTION, capture_output=True, text=True, timeout=_PATIENCE, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0
    return 2**20 * max((int(line) for line in done.stdout.split() if line.isdigit()), default=0)
