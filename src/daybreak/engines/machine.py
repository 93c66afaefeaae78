"""What this machine has free, measured now."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from daybreak.open_models.memory import Machine


def measure() -> Machine:
    """Free bytes of ordinary memory, and of the GPU that has most of them."""
    import torch

    gpus = [torch.cuda.mem_get_info(number)[0] for number in range(torch.cuda.device_count())]
    return Machine(available_memory(), max(gpus, default=0))


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


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on whatever device. Says so without importing torch."""
    if isinstance(error, MemoryError):
        return True
    torch = sys.modules.get("torch")
    if torch is None:
        return False
    if isinstance(error, torch.OutOfMemoryError):
        return True
    text = str(error)  # the allocator of the CPU has no exception of its own
    return isinstance(error, RuntimeError) and ("can't allocate memory" in text or "out of memory" in text)
