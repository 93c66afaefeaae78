"""What this machine has free, measured now."""

from __future__ import annotations

import sys

from daybreak.open_models.here import available_memory
from daybreak.open_models.memory import Machine

__all__ = ["available_memory", "is_out_of_memory", "measure"]


def measure() -> Machine:
    """Free bytes of ordinary memory, and of the GPU that has most of them."""
    import torch

    gpus = [torch.cuda.mem_get_info(number)[0] for number in range(torch.cuda.device_count())]
    return Machine(available_memory(), max(gpus, default=0))


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
