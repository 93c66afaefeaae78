"""Checks the shapes that jaxtyping annotations promise, at run time; the other types are mypy's work.

`conftest.py` installs `checked` over the model and its mathematics with jaxtyping's import hook, which makes the axes
of one call agree with one another: "B" is the same number in every argument and in the result.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, get_args, get_origin

from jaxtyping import AbstractArray


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, raising TypeError when an argument or its result has another shape or kind than annotated."""
    signature = inspect.signature(function)
    shaped = {name: one.annotation for name, one in signature.parameters.items() if has_shape(one.annotation)}

    @functools.wraps(function)
    def check(*args: object, **kwargs: object) -> object:
        given = signature.bind(*args, **kwargs).arguments
        for name, annotation in shaped.items():
            if name in given and not fits(given[name], annotation):
                raise TypeError(f"{name} is not {annotation}")
        result = function(*args, **kwargs)
        if has_shape(signature.return_annotation) and not fits(result, signature.return_annotation):
            raise TypeError(f"the result is not {signature.return_annotation}")
        return result

    return check


def has_shape(annotation: object) -> bool:
    """Whether an annotation is a jaxtyping shape or a tuple with one in it."""
    if get_origin(annotation) is tuple:
        return any(map(has_shape, get_args(annotation)))
    return inspect.isclass(annotation) and issubclass(annotation, AbstractArray)


def fits(value: object, annotation: Any) -> bool:
    """Whether a value has the annotated shape; whatever carries no shape fits."""
    if not has_shape(annotation):
        return True
    if get_origin(annotation) is tuple:
        return isinstance(value, tuple) and all(map(fits, value, get_args(annotation)))
    return isinstance(value, annotation)
