"""The exact words of a scene, and the boxes of its subjects in the picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from daybreak.diorama.scene import SceneSpec

ATTRIBUTES = ("subject", "colour", "pattern", "size", "action")  # of each subject
NUM_SUBJECTS = 2


def labels(spec: SceneSpec) -> dict[str, str]:
    """Every word of the scene by its attribute: "subject", "colour", ..., "subject2", ..., "camera", "style".

    The second subject's attributes and "relation" are there only with two subjects.
    """
    words: dict[str, str] = {}
    for number, subject in enumerate(spec.subjects, start=1):
        suffix = "" if number == 1 else str(number)
        values = (subject.kind, subject.colour, subject.pattern, subject.size, subject.action)
        words.update({name + suffix: value for name, value in zip(ATTRIBUTES, values, strict=True)})
    if spec.relation is not None:
        words["relation"] = spec.relation
    words["environment"] = spec.environment
    words["time_of_day"] = spec.time_of_day
    words["weather"] = spec.weather
    words["camera"] = spec.camera
    words["style"] = spec.style
    return words


def boxes(entities: NDArray[np.uint8]) -> NDArray[np.int32]:
    """The smallest box around each subject in each frame, (F, 2, 4): left, top, right, bottom in pixels.

    `entities` (F, H, W) is the map that the renderer returns. Right and bottom are past the end; a subject that
    is not seen has -1 four times.
    """
    found = np.full((len(entities), NUM_SUBJECTS, 4), -1, np.int32)
    for index in range(NUM_SUBJECTS):
        seen = entities == index + 1
        columns, rows = seen.any(1), seen.any(2)  # (F, W), (F, H)
        visible = rows.any(1)
        found[visible, index, 0] = columns[visible].argmax(1)
        found[visible, index, 1] = rows[visible].argmax(1)
        found[visible, index, 2] = columns.shape[1] - columns[visible, ::-1].argmax(1)
        found[visible, index, 3] = rows.shape[1] - rows[visible, ::-1].argmax(1)
    return found


def shares(entities: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The part of each frame that each subject covers, (F, 2), 0 to 1."""
    counted = [(entities == index + 1).mean(axis=(1, 2)) for index in range(NUM_SUBJECTS)]
    return np.stack(counted, 1)
