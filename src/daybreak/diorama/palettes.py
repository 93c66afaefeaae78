"""What each environment, time of day and weather looks like: plain colours in 0..1 and a few numbers."""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Daylight:
    """A time of day. `ambient` and `sun` are light, already scaled by its strength; `elevation` in radians.

    `side` is the sun's azimuth in radians off the viewing direction (0: behind the scene, pi: behind the camera).
    `disc_height` is the elevation at which the disc stands, 0 for a disc out of sight.
    """

    horizon: Colour
    zenith: Colour
    ambient: Colour
    sun: Colour
    cloud: Colour
    disc: Colour
    elevation: float
    side: tuple[float, float]
    softness: float = 1.0
    disc_height: float = 0.0
    disc_radius: float = 0.05
    glow: float = 1.0
    clouds: tuple[float, float] = (0.35, 0.75)
    night: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """An environment. Ground colours are mixed by a soft texture; mountains are (height, roughness) as elevation."""

    ground: Colour
    ground2: Colour
    path: Colour
    path_width: tuple[float, ...]
    mountain: Colour
    ridge: tuple[float, float]
    path_bend: float = 0.6
    texture: str = "blobs"
    outline: str = "hills"
    lane: bool = False
    contrast: float = 1.0
    snow_cover: float = 0.0
    water: bool = False
    airless: bool = False
    indoor: bool = False
    submerged: bool = False


DAYLIGHT = {
    "dawn": Daylight(
        horizon=(1.0, 0.76, 0.80), zenith=(0.60, 0.52, 0.82), ambient=(0.60, 0.53, 0.67), sun=(0.60, 0.42, 0.42),
        cloud=(1.0, 0.86, 0.90), disc=(1.0, 0.90, 0.84), elevation=0.42, side=(1.7, 2.3), softness=1.4,
        glow=0.6,
    ),
    "noon": Daylight(
        horizon=(0.74, 0.88, 0.98), zenith=(0.18, 0.46, 0.90), ambient=(0.46, 0.51, 0.60), sun=(0.76, 0.72, 0.62),
        cloud=(1.0, 1.0, 1.0), disc=(1.0, 0.98, 0.9), elevation=0.95, side=(1.9, 2.8), glow=0.2,
    ),
    "sunset": Daylight(
        horizon=(1.0, 0.56, 0.22), zenith=(0.48, 0.28, 0.56), ambient=(0.62, 0.48, 0.47), sun=(0.90, 0.50, 0.22),
        cloud=(1.0, 0.62, 0.42), disc=(1.0, 0.90, 0.55), elevation=0.36, side=(1.0, 1.5), softness=1.3,
        disc_height=0.16, disc_radius=0.06, glow=1.6, clouds=(0.3, 0.6),
    ),
    "night": Daylight(
        horizon=(0.17, 0.24, 0.50), zenith=(0.05, 0.08, 0.27), ambient=(0.42, 0.47, 0.66), sun=(0.32, 0.37, 0.52),
        cloud=(0.20, 0.26, 0.48), disc=(0.93, 0.94, 0.86), elevation=0.8, side=(1.4, 2.2), softness=1.2,
        disc_height=0.2, disc_radius=0.045, glow=0.35, clouds=(0.1, 0.4), night=True,
    ),
    "overcast": Daylight(
        horizon=(0.78, 0.80, 0.82), zenith=(0.56, 0.60, 0.65), ambient=(0.70, 0.72, 0.74), sun=(0.16, 0.16, 0.16),
        cloud=(0.70, 0.72, 0.75), disc=(0.8, 0.8, 0.8), elevation=1.0, side=(1.5, 2.5), softness=3.0,
        glow=0.0, clouds=(0.75, 0.9),
    ),
}  # fmt: skip

PLACES = {
    "meadow": Place(
        ground=(0.22, 0.50, 0.14), ground2=(0.48, 0.66, 0.22), path=(0.62, 0.52, 0.36), path_width=(0.0, 0.5),
        mountain=(0.34, 0.54, 0.36), ridge=(0.045, 0.04),
    ),
    "forest": Place(
        ground=(0.17, 0.30, 0.13), ground2=(0.36, 0.40, 0.18), path=(0.46, 0.35, 0.22), path_width=(0.0, 0.5),
        mountain=(0.07, 0.24, 0.13), ridge=(0.13, 0.11), path_bend=1.0, outline="trees",
    ),
    "desert": Place(
        ground=(0.80, 0.58, 0.32), ground2=(0.95, 0.76, 0.48), path=(0.0, 0.0, 0.0), path_width=(0.0,),
        mountain=(0.72, 0.38, 0.22), ridge=(0.06, 0.05), texture="dunes", outline="mesas",
    ),
    "beach": Place(
        ground=(0.84, 0.74, 0.54), ground2=(0.94, 0.86, 0.68), path=(0.0, 0.0, 0.0), path_width=(0.0,),
        mountain=(0.30, 0.50, 0.50), ridge=(-0.004, 0.045), contrast=0.7, water=True,
    ),
    "snowfield": Place(
        ground=(0.72, 0.79, 0.88), ground2=(0.86, 0.89, 0.93), path=(0.0, 0.0, 0.0), path_width=(0.0,),
        mountain=(0.46, 0.56, 0.72), ridge=(0.07, 0.07), contrast=0.8, snow_cover=0.85,
    ),
    "town": Place(
        ground=(0.58, 0.60, 0.63), ground2=(0.69, 0.70, 0.72), path=(0.30, 0.31, 0.35), path_width=(0.9,),
        mountain=(0.40, 0.43, 0.54), ridge=(0.07, 0.06), path_bend=0.0, outline="roofs", lane=True,
    ),
    "moon": Place(
        ground=(0.32, 0.32, 0.34), ground2=(0.66, 0.66, 0.68), path=(0.0, 0.0, 0.0), path_width=(0.0,),
        mountain=(0.40, 0.40, 0.43), ridge=(0.035, 0.05), texture="craters", airless=True,
    ),
    "room": Place(
        ground=(0.56, 0.36, 0.20), ground2=(0.66, 0.45, 0.27), path=(0.70, 0.28, 0.26), path_width=(0.0,),
        mountain=(0.0, 0.0, 0.0), ridge=(0.0, 0.0), indoor=True,
    ),
    "underwater": Place(
        ground=(0.62, 0.60, 0.42), ground2=(0.80, 0.76, 0.56), path=(0.0, 0.0, 0.0), path_width=(0.0,),
        mountain=(0.0, 0.0, 0.0), ridge=(-0.1, 0.0), contrast=0.8, submerged=True,
    ),
    "city": Place(
        ground=(0.50, 0.51, 0.54), ground2=(0.58, 0.59, 0.62), path=(0.27, 0.28, 0.31), path_width=(1.35,),
        mountain=(0.34, 0.37, 0.46), ridge=(0.16, 0.09), path_bend=0.0, outline="towers", lane=True,
    ),
}  # fmt: skip

# The sea from inside: the colour of the distance, of the surface overhead, and how strong the shafts of light are.
WATERS: dict[str, tuple[Colour, Colour, float]] = {
    "dawn": ((0.36, 0.42, 0.62), (0.98, 0.74, 0.80), 0.35),
    "noon": ((0.03, 0.46, 0.60), (0.50, 0.93, 0.92), 0.75),
    "sunset": ((0.20, 0.30, 0.36), (1.00, 0.58, 0.22), 0.55),
    "night": ((0.02, 0.09, 0.22), (0.06, 0.20, 0.42), 0.25),
    "overcast": ((0.30, 0.45, 0.45), (0.56, 0.68, 0.66), 0.0),
}
LIT_WINDOWS = {"dawn": 0.3, "noon": 0.0, "sunset": 0.45, "night": 0.65, "overcast": 0.15}  # share of a city's windows
WALLS: dict[str, Colour] = {  # the room's walls under each time of day
    "dawn": (0.86, 0.72, 0.78),
    "noon": (0.92, 0.89, 0.78),
    "sunset": (0.92, 0.62, 0.38),
    "night": (0.18, 0.22, 0.40),
    "overcast": (0.68, 0.70, 0.72),
}
LAMPS: dict[str, Colour] = {"night": (0.75, 0.50, 0.20), "overcast": (0.06, 0.05, 0.03), "sunset": (0.12, 0.06, 0.0)}
RUGS: tuple[Colour, ...] = ((0.70, 0.28, 0.26), (0.28, 0.42, 0.66), (0.30, 0.54, 0.40), (0.76, 0.60, 0.30))
