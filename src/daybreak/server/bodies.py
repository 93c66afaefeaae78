"""What requests may say, for the OpenAPI document. `parameters.py` and its callers read and check it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from daybreak.generation_settings import MAX_LORA_STRENGTH, MAX_LORAS, MAX_SEED, MAX_STEP_CACHE, MAX_STEPS
from daybreak.server.options import MAX_EXPIRY, MAX_PRIORITY, MIN_EXPIRY
from daybreak.server.references import MAX_DATA_URL
from daybreak.shapes import MAX_FPS, MAX_SECONDS, MAX_SIDE, MIN_SIDE
from daybreak.timeline import MAX_PROMPT


class Sent(BaseModel):
    """Common to what is sent: no other fields."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class ImageReference(Sent):
    """An image: exactly one of the two."""

    image_url: str | None = Field(None, max_length=MAX_DATA_URL, description="http(s), or a base64 data URL.")
    file_id: str | None = Field(None, description="A file of the Files API.")


class CharacterReference(Sent):
    """A character that the prompt names."""

    id: str


class VideoReference(Sent):
    """A video: exactly one of these."""

    id: str | None = Field(None, description="A completed video.")
    file_id: str | None = Field(None, description="A file of the Files API.")
    url: str | None = Field(None, max_length=MAX_DATA_URL, description="http(s), or a base64 data URL.")


class MediaReference(Sent):
    """An image or a video: exactly one of these."""

    file_id: str | None = None
    video_id: str | None = None
    character_id: str | None = None
    url: str | None = Field(None, max_length=MAX_DATA_URL)


class ShotBody(Sent):
    """A prompt over a span, in seconds; without `end`, until the next shot or the end."""

    prompt: str = Field(min_length=1, max_length=MAX_PROMPT)
    start: float = Field(0, ge=0)
    end: float | None = None


class PinBody(Sent):
    """Media held over a span, in seconds. Strength 1 keeps it as it is, 0 ignores it."""

    media: str | MediaReference = Field(description="A video's, file's or character's id, a URL or a data URL.")
    kind: Literal["image", "video"] | None = Field(None, description="Left out: whatever the media is.")
    start: float = Field(0, ge=0)
    end: float | None = Field(None, description="Left out: one frame of an image, the whole of a video.")
    strength: float = Field(1, ge=0, le=1)
    strength_end: float | None = Field(None, ge=0, le=1, description="The strength changes evenly to this.")
    media_start: float = Field(0, ge=0, description="Where in the video the span begins.")
    sha256: str | None = Field(None, description="Refuses other media than those with this digest.")


class SpecBody(Sent):
    """The clip's shape."""

    width: int = Field(ge=MIN_SIDE, le=MAX_SIDE)
    height: int = Field(ge=MIN_SIDE, le=MAX_SIDE)
    num_frames: int = Field(ge=1)
    fps: float = Field(24, ge=1, le=MAX_FPS)


class TimelineBody(Sent):
    """Prompts and media over the clip: a storyboard, a loop, a blend of two clips, first and last frames."""

    shots: list[ShotBody] = Field([], max_length=200, description="Without any: the prompt, for the whole clip.")
    pins: list[PinBody] = Field([], max_length=32)
    loop: bool = Field(False, description="The last frame leads to the first.")
    negative_prompt: str = ""
    spec: SpecBody | None = Field(None, description="Instead of size, seconds and fps.")


class VideoExpiry(Sent):
    """How long after its completion a video is deleted."""

    anchor: Literal["completed_at"] = "completed_at"
    seconds: int = Field(ge=MIN_EXPIRY, le=MAX_EXPIRY)


class LoraBody(Sent):
    """An installed LoRA and how much of it is added."""

    name: str = Field(max_length=64)
    strength: float | None = Field(
        None, ge=-MAX_LORA_STRENGTH, le=MAX_LORA_STRENGTH, description="1 as it was trained, below 0 its opposite. [1]"
    )


class OptionsBody(Sent):
    """What goes with every way of asking. All of it is Daybreak's, or other servers', but `model`."""

    seed: int | None = Field(None, ge=-1, le=MAX_SEED, description="The same seed gives the same video; -1 is any.")
    negative_prompt: str | None = Field(None, max_length=MAX_PROMPT)
    num_inference_steps: int | None = Field(None, ge=1, le=MAX_STEPS)
    guidance_scale: float | None = Field(None, ge=0, le=100)
    loras: list[str | LoraBody] | None = Field(
        None, max_length=MAX_LORAS, description="LoRAs of the model, `daybreak.loras` of it in /v1/models."
    )
    enhance_prompt: bool | None = Field(
        None, description="Tell the model the prompt in the words that it knows best. [the model's choice]"
    )
    generate_audio: bool | None = Field(None, description="With sound, or without. [the model's choice]")
    step_cache: float | None = Field(
        None, ge=0, le=MAX_STEP_CACHE, description="Quicker and less exact: how far a network may drift. [0]"
    )
    priority: int | None = Field(None, ge=-MAX_PRIORITY, le=MAX_PRIORITY, description="Higher goes first.")
    metadata: dict[str, str] | None = Field(None, description="Up to 16 texts that the video carries along.")
    expires_after: int | VideoExpiry | None = Field(None, description="Seconds. Left out: it is never deleted.")
    n: Literal[1] | None = Field(None, description="One video a request.")
    quality: Literal["standard", "auto", "high", "lossless"] | None = Field(None, description="Changes nothing.")
    stream: Literal[False] | None = None
    user: str | None = Field(None, max_length=512, description="Kept in the metadata.")


class ShapeBody(OptionsBody):
    """The shape of a new clip."""

    size: str | None = Field(None, description="WIDTHxHEIGHT, even sides from 64 to 2048. [720x1280]")
    seconds: str | float | None = Field(None, description=f"Above 0 and up to {MAX_SECONDS:g}. [4]")
    width: int | None = Field(None, ge=MIN_SIDE, le=MAX_SIDE, description="With `height`, instead of `size`.")
    height: int | None = Field(None, ge=MIN_SIDE, le=MAX_SIDE)
    fps: float | None = Field(None, ge=1, le=MAX_FPS, description="[24]")
    num_frames: int | None = Field(None, ge=1, description="Exact; wins over `seconds`, within a second of it.")
    video_params: dict[str, Any] | None = Field(None, description="width, height, fps and num_frames, in an object.")


class CreateVideo(ShapeBody):
    """A new video."""

    prompt: str | None = Field(
        None, min_length=1, max_length=MAX_PROMPT, description="Required, unless the timeline has shots."
    )
    model: str | None = Field(None, description="[sora-2, which means what the owner of this server says]")
    input_reference: ImageReference | str | None = Field(
        None, description="The first frame: a file, an object, or its URL, data URL or file id as a text."
    )
    input_reference_fit: Literal["cover", "contain", "exact"] | None = Field(
        None, description="How a reference of another size is fitted; exact refuses it. [cover]"
    )
    characters: list[CharacterReference] | None = Field(None, max_length=2)
    timeline: TimelineBody | None = None


class RemixVideo(OptionsBody):
    """A finished video, made again as the prompt says."""

    prompt: str = Field(min_length=1, max_length=MAX_PROMPT)
    model: str | None = Field(None, description="[the source's]")
    strength: Literal["subtle", "mild", "strong"] | float | None = Field(
        None, description="How much may change: a name, or a number above 0 and up to 1. [mild]"
    )


class EditVideo(RemixVideo):
    """A finished or uploaded video, edited as the prompt says."""

    video: VideoReference | str | None = Field(None, description="A file, an object, or an id or URL as a text.")


class ExtendVideo(OptionsBody):
    """A finished or uploaded video, made longer."""

    prompt: str = Field(min_length=1, max_length=MAX_PROMPT)
    model: str | None = Field(None, description="[the source's]")
    seconds: str | float | None = Field(None, description="How much longer. [4]")
    direction: Literal["forward", "backward"] | None = Field(None, description="backward: what came before. [forward]")
    video: VideoReference | str | None = Field(None, description="A file, an object, or an id or URL as a text.")


class CreateCharacter(Sent):
    """A character from a short clip that shows it."""

    name: str = Field(min_length=1, max_length=80)
    video: VideoReference | str = Field(description="A file, or a finished video by an object or its id.")
