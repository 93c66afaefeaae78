"""From a `SceneSpec` to a `Stage`: the subjects, the set around them, the light, and the camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from daybreak.diorama.antics import ROAMING
from daybreak.diorama.cameras import HALF_VIEW
from daybreak.diorama.casting import compose
from daybreak.diorama.events import sound_events as sound_events  # what is heard belongs to what is built
from daybreak.diorama.light import make_atmosphere
from daybreak.diorama.primitives import Parts
from daybreak.diorama.props import add_props
from daybreak.diorama.render import Stage
from daybreak.diorama.scene import SceneSpec

SWIM_SHORE = -1.5  # metres: with a swimmer the water begins in front of it
ROAM_SHORE = -3.2  # with a boat that comes, goes or circles


def build_stage(spec: SceneSpec, num_frames: int = 49, fps: float = 24.0, aspect: float = 448 / 256) -> Stage:
    """The built scene: the same arguments give the same arrays. `aspect` is width / height of the frame."""
    scene = compose(spec, num_frames, fps, aspect)
    air = np.random.default_rng((spec.seed, 3))
    atmosphere = make_atmosphere(spec.environment, spec.time_of_day, spec.weather, air, num_frames, fps)
    afloat = [cast for cast in scene.casts if cast.motion.afloat]
    if atmosphere.shore is not None and afloat:
        light = atmosphere.light.copy()
        light["shore"] = ROAM_SHORE if any(cast.subject.action in ROAMING for cast in afloat) else SWIM_SHORE
        atmosphere = replace(atmosphere, light=light)
    scenery = Parts(num_frames)
    spread = scene.framing.distance * HALF_VIEW * aspect
    add_props(scenery, spec.environment, np.random.default_rng((spec.seed, 4)), spread, atmosphere.shore)
    prims = np.concatenate([scene.prims, scenery.stack()], 1) if scenery.rows else scene.prims
    return Stage(prims, scene.cameras, atmosphere, spec.style)
