"""The two decorators that turn the renderer's functions into machine code.

Numba keys its cache on the file of the *outermost* kernel only: after a change in any file that `render_picture`
calls, delete `__pycache__/*.nbi` or the old code keeps running.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def kernel(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The function as cached machine code that runs without the interpreter's lock."""
    compiled = njit(cache=True, nogil=True, fastmath=True, error_model="numpy")(function)
    return cast(Callable[Parameters, Result], compiled)


def inlined(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The function as machine code that is always inlined: no cost for passing tuples and arrays."""
    compiled = njit(fastmath=True, error_model="numpy", forceinline=True)(function)
    return cast(Callable[Parameters, Result], compiled)
