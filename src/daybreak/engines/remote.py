"""The remote engine: a model on another server that speaks the Videos API.

Its card, `DAYBREAK_DATA_DIR/models/NAME/model.json`, says where: `{"engine": "remote", "base_url": "https://…/v1",
"model": "…", "key_env": "NAME_OF_THE_VARIABLE_WITH_THE_KEY"}`. `"dialect": "daybreak"` adds seed, steps, guidance and
negative prompt; `"sizes"` and `"seconds"` list what the server takes, if it is particular.

A state is the video's id over there: whoever resumes goes on waiting for the same video. It is deleted there when it
was fetched, and at once when the job is cancelled.
"""

from __future__ import annotations

import io
import math
import os
import secrets
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
from PIL import Image

from daybreak.catalog import ModelCard
from daybreak.engines.abilities import Ability, abilities_of
from daybreak.generation import Cancelled, EngineFailed, OnStep, State, Unsupported, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.media.fit import load_image
from daybreak.media.probe import UnreadableVideo, decode_video
from daybreak.timeline import Pin, Timeline

_STEPS = 100  # progress over there is a percentage
_TRIES = 6
_LONGEST_WAIT = 30.0  # seconds between tries
_STALLED = 3600.0  # seconds without any progress after which a video is given up
_UNREACHABLE = 600.0  # seconds that the server may be away while it makes a video
_MAX_BYTES = 4 * 2**30  # of a finished file
_AGAIN = {408, 409, 425, 429, 500, 502, 503, 504}


class Unreachable(EngineFailed):
    """The other server does not answer, or cannot at the moment."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model is: the API's base URL, its name there and the key, if any."""

    base_url: str
    model: str
    key: str | None = None
    daybreak: bool = False
    sizes: tuple[str, ...] = ()
    seconds: tuple[int, ...] = ()


def open_remote(card: ModelCard) -> RemoteEngine:
    """The engine of a remote model's card. Raises EngineFailed when the card or the key's variable is incomplete."""
    details = card.details
    base_url = details.get("base_url")
    if not isinstance(base_url, str) or not base_url.startswith(("http://", "https://")):
        raise EngineFailed("model_unavailable", f"the card of {card.name!r} has no base_url such as https://HOST/v1")
    key_env = details.get("key_env")
    key = os.environ.get(str(key_env)) if key_env else None
    if key_env and not key:
        raise EngineFailed("model_unavailable", f"{key_env}, the key for {card.name!r}, is not set where workers run")
    place = Place(
        base_url.rstrip("/"),
        str(details.get("model", card.name)),
        key,
        details.get("dialect") == "daybreak",
        tuple(str(size) for size in details.get("sizes", ())),
        tuple(sorted(int(seconds) for seconds in details.get("seconds", ()))),
    )
    return RemoteEngine(card.name, place, abilities_of(card))


class RemoteEngine:
    """Asks another server for the clip, waits for it and fetches it."""

    procedural = False

    def __init__(
        self,
        name: str,
        place: Place,
        abilities: frozenset[Ability],
        poll_every: float = 1.0,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self.name, self.abilities = name, abilities
        self._place, self._poll_every, self._sleep, self._transport = place, poll_every, sleep, transport

    def generate(
        self, timeline: Timeline, settings: GenerationSettings, on_step: OnStep, resume: State | None = None
    ) -> Video:
        """The clip as the other server made it. Raises EngineFailed with its reason, or when it cannot be reached."""
        headers = {"Authorization": f"Bearer {self._place.key}"} if self._place.key else {}
        timeout = httpx2.Timeout(60.0, connect=10.0)
        with httpx2.Client(headers=headers, timeout=timeout, trust_env=False, transport=self._transport) as client:
            video_id = self._known(client, resume) or self._create(client, timeline, settings)
            try:
                self._wait(client, video_id, on_step)
                video = self._fetch(client, video_id)
            except (Cancelled, EngineFailed):
                self._delete(client, video_id)
                raise
            self._delete(client, video_id)
        return video

    def _known(self, client: httpx2.Client, resume: State | None) -> str | None:
        """The id of a state, if the server still has that video."""
        if resume is None or "video_id" not in resume:
            return None
        video_id = bytes(resume["video_id"].astype(np.uint8)).decode()
        answer = self._send(client, "GET", f"/videos/{video_id}", allowed=frozenset({404}))
        return None if answer.status_code == 404 or answer.json().get("status") == "failed" else video_id

    def _create(self, client: httpx2.Client, timeline: Timeline, settings: GenerationSettings) -> str:
        fields = self._fields(timeline, settings)
        # The key makes trying again safe: a server that knows it never makes the video twice.
        sent: dict[str, Any] = {"headers": {"Idempotency-Key": secrets.token_hex(16)}}
        if timeline.pins:  # a picture travels in a form; without one, JSON is understood by more servers
            picture = _picture(timeline.pins, str(fields["size"]))
            sent |= {"data": fields, "files": {"input_reference": ("image.png", picture, "image/png")}}
        else:
            sent["json"] = fields
        return str(self._send(client, "POST", "/videos", **sent).json()["id"])

    def _fields(self, timeline: Timeline, settings: GenerationSettings) -> dict[str, str | int | float]:
        """What is asked for over there: at least as long, and of the size nearest in shape."""
        place, spec = self._place, timeline.spec
        seconds = math.ceil(spec.seconds - 1e-6)
        if place.seconds:
            longer = [length for length in place.seconds if length >= seconds]
            if not longer:
                raise Unsupported(
                    f"the model {self.name!r} makes at most {place.seconds[-1]} s, not {spec.seconds:g} s"
                )
            seconds = longer[0]
        size = min(place.sizes, key=lambda name: _unlikeness(name, spec.aspect), default=f"{spec.width}x{spec.height}")
        fields: dict[str, str | int | float] = {
            "model": place.model, "prompt": timeline.prompt, "size": size, "seconds": str(seconds)
        }  # fmt: skip
        if place.daybreak:
            more = {
                "seed": settings.seed,
                "negative_prompt": timeline.negative_prompt or None,
                "num_inference_steps": settings.num_inference_steps,
                "guidance_scale": settings.guidance_scale,
            }
            fields |= {name: value for name, value in more.items() if value is not None}
        return fields

    def _wait(self, client: httpx2.Client, video_id: str, on_step: OnStep) -> None:
        """Returns when the video is there, having reported its progress at every look."""
        reached, since, heard = -1, time.monotonic(), time.monotonic()
        state = {"video_id": np.frombuffer(video_id.encode(), np.uint8)}
        while True:
            now = time.monotonic()
            try:
                seen = self._send(client, "GET", f"/videos/{video_id}", tries=1).json()
                heard = now
            except Unreachable:
                if now - heard > _UNREACHABLE:
                    raise
                seen = {"progress": max(reached, 0)}
            percent = int(seen.get("progress") or 0)
            if seen.get("status") == "failed":
                error = seen.get("error") or {}
                raise EngineFailed(str(error.get("code") or "remote_failed"), str(error.get("message") or "it failed"))
            if seen.get("status") == "completed":
                on_step(_STEPS, _STEPS, state=lambda: state)
                return
            if percent > reached:
                reached, since = percent, now
            elif now - since > _STALLED:
                raise EngineFailed("step_timeout", f"{self._place.base_url} made no progress for {_STALLED:g} s")
            on_step(min(percent, _STEPS - 1), _STEPS, state=lambda: state)
            self._sleep(self._poll_every)

    def _fetch(self, client: httpx2.Client, video_id: str) -> Video:
        """The finished clip. Raises EngineFailed when what comes is no video."""
        with tempfile.TemporaryDirectory(prefix="daybreak-remote-") as folder:
            path = Path(folder) / "video.mp4"
            for again in range(_TRIES):
                try:
                    self._download(client, f"{self._place.base_url}/videos/{video_id}/content", path)
                    return decode_video(path)
                except (httpx2.TransportError, UnreadableVideo) as error:  # cut off: from the beginning
                    if again == _TRIES - 1:
                        raise EngineFailed(
                            "invalid_output", f"the finished video could not be fetched: {error}"
                        ) from error
                    self._sleep(min(2.0**again, _LONGEST_WAIT))
        raise AssertionError

    def _download(self, client: httpx2.Client, url: str, path: Path) -> None:
        size = 0
        with client.stream("GET", url) as answer, path.open("wb") as target:
            if answer.status_code != 200:
                answer.read()
                raise _refused(answer)
            for piece in answer.iter_bytes():
                size += len(piece)
                if size > _MAX_BYTES:
                    raise EngineFailed("invalid_output", f"the finished video has more than {_MAX_BYTES} bytes")
                target.write(piece)

    def _delete(self, client: httpx2.Client, video_id: str) -> None:
        """Frees what the video takes over there; that it could not be done changes nothing here."""
        with suppress(httpx2.HTTPError):
            client.delete(f"{self._place.base_url}/videos/{video_id}", timeout=10.0)

    def _send(
        self,
        client: httpx2.Client,
        method: str,
        path: str,
        *,
        allowed: frozenset[int] = frozenset(),
        tries: int = _TRIES,
        **sent: Any,
    ) -> httpx2.Response:
        """The answer, after as many tries as it takes. Raises EngineFailed when it is a refusal, or there is none."""
        for again in range(tries):
            last = again == tries - 1
            wait = min(2.0**again, _LONGEST_WAIT)
            try:
                answer = client.request(method, self._place.base_url + path, **sent)
            except httpx2.TransportError as error:
                if last:
                    where = self._place.base_url
                    raise Unreachable("model_unavailable", f"{where} cannot be reached: {error}") from error
                self._sleep(wait)
                continue
            if answer.is_success or answer.status_code in allowed:
                return answer
            if last or answer.status_code not in _AGAIN:
                raise _refused(answer)
            with suppress(ValueError):
                wait = min(float(answer.headers.get("retry-after", wait)), _LONGEST_WAIT)
            self._sleep(wait)
        raise AssertionError


def _refused(answer: httpx2.Response) -> EngineFailed:
    """The failure that an answer is, in the other server's words where it has some."""
    message, code = "", None
    with suppress(ValueError):
        error = answer.json().get("error") or {}
        message, code = str(error.get("message") or ""), error.get("code")
    unusable = answer.status_code in (401, 403, 404)  # the key or the name is wrong: nobody who asks can help it
    told = "model_unavailable" if unusable else str(code or "remote_failed")
    said = f"{answer.request.url.host} answered {answer.status_code}: {message or answer.reason_phrase}"
    return Unreachable(told, said) if answer.status_code in _AGAIN else EngineFailed(told, said)


def _picture(pins: tuple[Pin, ...], size: str) -> bytes:
    """The first image as a PNG of exactly the size. Raises Unsupported for any other pin."""
    (pin, *rest) = pins
    if rest or pin.kind != "image" or pin.start or min(pin.strength, pin.last_strength) < 1:
        raise Unsupported("a model on another server takes one image, as the first frame")
    width, height = (int(side) for side in size.split("x"))
    written = io.BytesIO()
    Image.fromarray(load_image(Path(pin.media), width, height)).save(written, "PNG")
    return written.getvalue()


def _unlikeness(size: str, aspect: float) -> float:
    width, height = (int(side) for side in size.split("x"))
    return abs(math.log(width / height / aspect))
