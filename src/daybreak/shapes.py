"""The shape of a clip in pixels and in latents, and the arithmetic between the two.

The video VAE is causal in time: latent frame 0 stands for pixel frame 0, every later latent frame for 8 pixel frames.
So 8k + 1 pixel frames are k + 1 latent frames. In space a latent cell stands for 32 x 32 pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

TEMPORAL_COMPRESSION = 8  # pixel frames per latent frame after the first
SPATIAL_COMPRESSION = 32  # pixels per latent cell, both ways
NATIVE_FPS = 24.0  # of the clips that the built-in model is trained on
PATCH = 2  # latent cells per transformer token, both ways

MIN_SIDE, MAX_SIDE = 64, 2048  # pixels
MAX_FPS = 120.0
MAX_SECONDS = 120.0  # of one clip, extended ones included: as long as the Videos API let them become
MAX_CLIP_BYTES = 4 * 2**30  # a clip lies in memory as uint8 RGB: this is 64 s of 1280x720 at 24 fps


@dataclass(frozen=True, slots=True)
class VideoSpec:
    """The pixel shape of a clip. Raises ValueError for one that cannot be made or encoded."""

    num_frames: int
    height: int
    width: int
    fps: float = 24.0

    def __post_init__(self) -> None:
        check_size(self.width, self.height)
        if not (math.isfinite(self.fps) and 1 <= self.fps <= MAX_FPS):
            raise ValueError(f"fps must be from 1 to {MAX_FPS:g}, not {self.fps:g}")
        if self.num_frames < 1:
            raise ValueError(f"a video has at least one frame, not {self.num_frames}")
        if self.seconds > MAX_SECONDS + 1:  # the model's own clips may be a few frames longer than what was asked
            raise ValueError(f"{self.seconds:g} seconds is too long: at most {MAX_SECONDS:g} in one generation")
        size = self.num_frames * self.height * self.width * 3
        if size > MAX_CLIP_BYTES:
            raise ValueError(
                f"{self.num_frames} frames of {self.width}x{self.height} need {size / 2**30:.1f} GiB of memory, more "
                f"than the {MAX_CLIP_BYTES / 2**30:.0f} GiB allowed: ask for a smaller size or fewer seconds"
            )

    @property
    def seconds(self) -> float:
        return self.num_frames / self.fps

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.width / self.height


@dataclass(frozen=True, slots=True)
class LatentShape:
    """The latent shape of a clip, without the batch axis."""

    channels: int
    latent_frames: int
    latent_height: int
    latent_width: int

    def __post_init__(self) -> None:
        if min(self.channels, self.latent_frames, self.latent_height, self.latent_width) < 1:
            raise ValueError(f"every axis of a latent shape is at least 1, not {self.as_tuple()}")

    @classmethod
    def of(cls, spec: VideoSpec, channels: int) -> LatentShape:
        """The latent shape of a clip. Raises ValueError unless it is 8k + 1 frames and its sides multiples of 32."""
        frames, height, width = spec.num_frames, spec.height, spec.width
        if frames % TEMPORAL_COMPRESSION != 1 or height % SPATIAL_COMPRESSION or width % SPATIAL_COMPRESSION:
            raise ValueError(
                f"{frames} frames of {width}x{height} have no latent shape: "
                f"need {TEMPORAL_COMPRESSION}k+1 frames and sides that are multiples of {SPATIAL_COMPRESSION}"
            )
        return cls(channels, latent_frames_for(frames), height // SPATIAL_COMPRESSION, width // SPATIAL_COMPRESSION)

    def pixels(self, fps: float = 24.0) -> VideoSpec:
        """The clip that latents of this shape decode to."""
        return VideoSpec(
            (self.latent_frames - 1) * TEMPORAL_COMPRESSION + 1,
            self.latent_height * SPATIAL_COMPRESSION,
            self.latent_width * SPATIAL_COMPRESSION,
            fps,
        )

    @property
    def tokens_per_frame(self) -> int:
        """Transformer tokens of one latent frame; an odd side is padded to a whole patch."""
        return math.ceil(self.latent_height / PATCH) * math.ceil(self.latent_width / PATCH)

    @property
    def num_tokens(self) -> int:
        return self.latent_frames * self.tokens_per_frame

    def as_tuple(self) -> tuple[int, int, int, int]:
        """(C, T, H, W)."""
        return self.channels, self.latent_frames, self.latent_height, self.latent_width


# (width, height): the pixel sizes that the built-in model is trained at, all about 100 latent cells a frame.
BUCKETS: tuple[tuple[int, int], ...] = ((448, 256), (256, 448), (320, 320))


def check_size(width: int, height: int) -> None:
    """Raises ValueError unless the size can be made and encoded (H.264 4:2:0 has no odd sides)."""
    for name, side in (("width", width), ("height", height)):
        if not MIN_SIDE <= side <= MAX_SIDE or side % 2:
            raise ValueError(f"{name} must be an even number from {MIN_SIDE} to {MAX_SIDE}, not {side}")


def nearest_bucket(width: int, height: int, buckets: tuple[tuple[int, int], ...] = BUCKETS) -> tuple[int, int]:
    """The (width, height) of the bucket nearest in aspect; 16:9 and 9:16 are equally far from a square."""
    aspect = math.log(width / height)
    return min(buckets, key=lambda bucket: abs(math.log(bucket[0] / bucket[1]) - aspect))


def frames_for(seconds: float, fps: float) -> int:
    """The number of frames in `seconds`. Raises ValueError when that is none, or too many."""
    if not (math.isfinite(seconds) and 0 < seconds <= MAX_SECONDS):
        raise ValueError(f"seconds must be more than 0 and at most {MAX_SECONDS:g}, not {seconds:g}")
    if not (math.isfinite(fps) and 1 <= fps <= MAX_FPS):
        raise ValueError(f"fps must be from 1 to {MAX_FPS:g}, not {fps:g}")
    return max(1, round(seconds * fps))


def native_frames(num_frames: int) -> int:
    """The smallest 8k + 1 that is at least `num_frames`."""
    if num_frames < 1:
        raise ValueError(f"a video has at least one frame, not {num_frames}")
    return math.ceil((num_frames - 1) / TEMPORAL_COMPRESSION) * TEMPORAL_COMPRESSION + 1


def native_spec(spec: VideoSpec) -> VideoSpec:
    """What the built-in model makes for `spec`: the bucket nearest in aspect, at its own rate, as long or longer."""
    width, height = nearest_bucket(spec.width, spec.height)
    return VideoSpec(native_frames(max(1, round(spec.seconds * NATIVE_FPS))), height, width, NATIVE_FPS)


def latent_frames_for(num_frames: int) -> int:
    """The latent frames of 8k + 1 pixel frames. Raises ValueError for any other number."""
    if num_frames < 1 or num_frames % TEMPORAL_COMPRESSION != 1:
        raise ValueError(f"{num_frames} frames: need {TEMPORAL_COMPRESSION}k+1")
    return (num_frames - 1) // TEMPORAL_COMPRESSION + 1
