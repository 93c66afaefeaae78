"""The media that a request points at: uploads, URLs, data URLs, files, videos and characters, found and looked at.

Nothing is stored here until `store` is called, after everything else about the request has been found good.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from daybreak.database.assets import Asset, NewAsset, add_asset, forget_asset, get_asset, job_assets
from daybreak.database.characters import get_character
from daybreak.database.files import get_file
from daybreak.database.ids import is_id, new_id
from daybreak.durable import full_disk_told
from daybreak.fetch import FetchRefused, decode_data_url, fetch_url
from daybreak.jobs.job import Job
from daybreak.jobs.operations import Media
from daybreak.jobs.queue import get_job
from daybreak.media.inspect import UnusableMedia, inspect_upload, sniff
from daybreak.server.body import Upload
from daybreak.server.context import ServerContext
from daybreak.server.errors import ApiError, invalid, invalid_type, not_found
from daybreak.server.parameters import Parameters
from daybreak.storage import Damaged, Missing
from daybreak.timeline import MediaKind

if TYPE_CHECKING:
    from daybreak.media.fit import Fit  # which loads the imaging library: only who fits a picture pays for it

How = Literal["upload", "url", "data", "file", "video", "character"]

MAX_DATA_URL = 20_971_520  # characters, the limit of the Videos API
FETCH_SECONDS = 30.0
_IDS: tuple[tuple[str, How], ...] = (("file-", "file"), ("video_", "video"), ("char_", "character"))
_ID_TEXT = re.compile(r"[0-9A-Za-z_-]{1,80}")
_KEYS: dict[str, How] = {  # of an object that points at media
    "image_url": "url",
    "url": "url",
    "file_id": "file",
    "id": "video",
    "video_id": "video",
    "character_id": "character",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Media as a request names it: `value` is an id, a URL or a form's file part; `param` is who named it."""

    param: str
    how: How
    value: str


@dataclass(frozen=True, slots=True)
class Found:
    """Media that is there and whole. Its bytes are a file of this request (`path`), or stored already (`asset`)."""

    media: Media
    content_type: str
    sha256: str
    path: Path | None = None
    asset: Asset | None = None
    video: Job | None = None  # the job that made it
    character: str | None = None  # the name of the character that it shows


def read_wanted(parameters: Parameters, name: str, keys: Sequence[str], *, strings: bool = True) -> Wanted | None:
    """What a field points at: an object with exactly one of `keys`, or a text that says the same. Raises ApiError."""
    value, param = parameters.take(name), parameters.name(name)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None:
        return None
    if isinstance(value, str):
        wanted = wanted_of_text(value, param) if strings else None
        if wanted is None or not _allowed(wanted, keys):
            raise invalid_type(param, "an object", value)
        return wanted
    if not isinstance(value, dict):
        raise invalid_type(param, "an object", value)
    inner = Parameters(value, param)
    given = [key for key in keys if key in inner]
    if len(given) != 1:
        raise invalid(param, f"Invalid '{param}': expected exactly one of {', '.join(map(repr, keys))}.")
    text = inner.text(given[0], MAX_DATA_URL, required=True)
    assert text is not None
    inner.finish()
    how = _KEYS[given[0]]
    if how != "url":
        return Wanted(param, how, text)
    wanted = wanted_of_text(text, param)
    if wanted is None or wanted.how not in ("url", "data"):
        full = inner.name(given[0])
        raise invalid(full, f"Invalid '{full}': expected an http or https URL, or a base64 data URL.")
    return wanted


def wanted_of_text(text: str, param: str) -> Wanted | None:
    """What a text points at: a URL, a data URL or an id; None for any other text."""
    lower = text[:8].lower()
    if lower.startswith("data:"):
        return Wanted(param, "data", text)
    if lower.startswith(("http://", "https://")):
        return Wanted(param, "url", text)
    if _ID_TEXT.fullmatch(text):
        for prefix, how in _IDS:
            if text.startswith(prefix):
                return Wanted(param, how, text)
    return None


def _allowed(wanted: Wanted, keys: Sequence[str]) -> bool:
    return ("url" if wanted.how == "data" else wanted.how) in {_KEYS[key] for key in keys}


class Finder:
    """Finds what one request points at; what it points at twice is fetched once.

    Fetching and decoding may take many seconds, so they have other threads than the database's: pollers never wait.
    """

    def __init__(self, context: ServerContext, project_id: str, files: Mapping[str, Upload]) -> None:
        self._context, self._project_id, self._files = context, project_id, files
        self._folder: Path | None = None
        self._known: dict[tuple[How, str, MediaKind | None], Found] = {}
        self._names = 0

    async def find(self, wanted: Wanted, kind: MediaKind | None) -> Found:
        """The media; `kind` None takes images and videos. Raises ApiError for whatever can't be used."""
        key = (wanted.how, wanted.value, kind)
        if key not in self._known:
            self._known[key] = await self._find(wanted, kind)
        return self._known[key]

    async def _find(self, wanted: Wanted, kind: MediaKind | None) -> Found:
        if wanted.how == "video":
            return await self.source(wanted)
        if wanted.how == "character":
            return await self._character(wanted)
        if wanted.how == "file":
            return await self._file(wanted, kind)
        return await self._inspect(wanted, kind, *await self._bytes(wanted))

    async def source(self, wanted: Wanted) -> Found:
        """The clip of a finished video of this project. Raises ApiError 404, or 400 while there is nothing to use."""
        context = self._context
        job = None
        if is_id(wanted.value, "video_"):
            job = await context.run(get_job, context.db, self._project_id, wanted.value)
        if job is None:
            raise not_found("video", wanted.value)
        if job.status != "completed":
            what = "failed" if job.status == "failed" else f"is {job.status.replace('_', ' ')}"
            raise invalid(
                wanted.param,
                f"The video '{job.id}' {what}: only a completed one can be used.",
                "video_failed" if job.status == "failed" else "video_not_ready",
            )
        asset = (await context.run(job_assets, context.db, self._project_id, job.id)).get("video")
        if asset is None:
            raise not_found("video", wanted.value)
        return self._stored(asset, "video", video=job)

    async def _character(self, wanted: Wanted) -> Found:
        context = self._context
        character = asset = None
        if is_id(wanted.value, "char_"):
            character = await context.run(get_character, context.db, self._project_id, wanted.value)
        if character is not None:
            asset = await context.run(get_asset, context.db, self._project_id, character.asset_id)
        if character is None or asset is None:
            raise not_found("character", wanted.value)
        return self._stored(asset, "video", character=character.name)

    async def _file(self, wanted: Wanted, kind: MediaKind | None) -> Found:
        context = self._context
        file = asset = None
        if is_id(wanted.value, "file-"):
            file = await context.run(get_file, context.db, self._project_id, wanted.value, context.clock())
        if file is not None:
            asset = await context.run(get_asset, context.db, self._project_id, file.asset_id)
        if asset is None:
            raise not_found("file", wanted.value)
        if asset.variant in ("image", "video") and asset.width:  # it was looked at when it was uploaded
            if kind not in (None, asset.variant):
                raise _wrong_kind(wanted.param, kind, asset.content_type)
            return self._stored(asset, "image" if asset.variant == "image" else "video")
        found = await self._inspect(wanted, kind, await self._fetched(asset), asset.sha256)
        return replace(found, asset=asset)

    async def _fetched(self, asset: Asset) -> Path:
        """A file of this request with an asset's bytes. Raises ApiError when they are lost."""
        path = await self._new_path()
        try:
            await self._context.run(self._context.storage.get_file, asset.key, path, asset.sha256)
        except (Missing, Damaged) as error:
            raise not_found("asset", asset.id) from error
        return path

    async def _bytes(self, wanted: Wanted) -> tuple[Path, str | None]:
        """The file that holds an upload's, a URL's or a data URL's bytes, and its digest where it is known."""
        if wanted.how == "upload":
            upload = self._files[wanted.value]
            return upload.path, upload.sha256
        path, context = await self._new_path(), self._context
        most = max(context.settings.max_image_mb, context.settings.max_upload_mb) * 10**6
        try:
            if wanted.how == "data":
                await asyncio.to_thread(_write_data_url, wanted.value, most, path)
            else:
                await asyncio.to_thread(
                    fetch_url,
                    wanted.value,
                    path,
                    max_bytes=most,
                    timeout=FETCH_SECONDS,
                    policy=context.fetch_policy,
                )
        except FetchRefused as error:
            raise invalid(wanted.param, f"Invalid '{wanted.param}': {error}.", "unusable_url") from error
        return path, None

    async def _inspect(self, wanted: Wanted, kind: MediaKind | None, path: Path, sha256: str | None) -> Found:
        content_type = await self._context.run(sniff, path)
        seems: MediaKind = "image" if (content_type or "").startswith("image/") else "video"
        want = kind or seems
        if want != seems:
            raise _wrong_kind(wanted.param, want, content_type)
        try:
            facts = await asyncio.to_thread(inspect_upload, path, want=want)
        except UnusableMedia as error:
            raise invalid(wanted.param, f"Invalid file '{wanted.param}': {error}.", error.code) from error
        media = Media(self._name(), want, facts.width, facts.height, facts.num_frames, facts.fps or 0.0)
        digest = await asyncio.to_thread(_digest, path) if sha256 is None else sha256
        return Found(media, facts.content_type, digest, path)

    def _stored(
        self, asset: Asset, kind: MediaKind, *, video: Job | None = None, character: str | None = None
    ) -> Found:
        media = Media(self._name(), kind, asset.width or 0, asset.height or 0, asset.num_frames or 1, asset.fps or 24.0)
        return Found(media, asset.content_type, asset.sha256, None, asset, video, character)

    async def fitted(self, found: Found, width: int, height: int, fit: Fit) -> Found:
        """An image that will be the first frame. Raises ApiError in the words of the Videos API for `exact`."""
        if (found.media.width, found.media.height) == (width, height) or fit == "cover":
            return found  # the engine covers whatever size it works at
        if fit == "exact":
            from daybreak.media.fit import SizeMismatch

            raise ApiError(400, str(SizeMismatch()))
        original = found.path
        if original is None:
            assert found.asset is not None
            original = await self._fetched(found.asset)
        path = await self._new_path()
        await asyncio.to_thread(_contain, original, path, width, height)
        media = replace(found.media, name=self._name(), width=width, height=height)
        return Found(media, "image/png", await self._context.run(_digest, path), path)

    async def close(self) -> None:
        """Removes what was fetched."""
        if self._folder is not None:
            await self._context.run(shutil.rmtree, self._folder, ignore_errors=True)

    async def _new_path(self) -> Path:
        if self._folder is None:
            self._folder = await self._context.run(self._context.incoming_folder)
        self._names += 1
        return self._folder / f"fetched-{self._names}"

    def _name(self) -> str:
        self._names += 1
        return f"pending:{self._names}"


@asynccontextmanager
async def finding(context: ServerContext, project_id: str, files: Mapping[str, Upload]) -> AsyncIterator[Finder]:
    """A finder for one request; what it fetched is there until the block ends."""
    finder = Finder(context, project_id, files)
    try:
        yield finder
    finally:
        await finder.close()


def _write_data_url(text: str, most: int, path: Path) -> None:
    content = decode_data_url(text, most)
    with full_disk_told(path):
        path.write_bytes(content)


def _contain(source: Path, target: Path, width: int, height: int) -> None:
    from PIL import Image

    from daybreak.media.fit import fit_image

    Image.fromarray(fit_image(source, width, height, "contain")).save(target, "PNG", compress_level=1)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _wrong_kind(param: str, kind: MediaKind | None, content_type: str | None) -> ApiError:
    said = content_type or "application/octet-stream"
    formats = "'image/jpeg', 'image/png', and 'image/webp'" if kind == "image" else "'video/mp4'"
    return invalid(
        param,
        f"Invalid file '{param}': unsupported mimetype ('{said}'). Supported file formats are {formats}.",
        "unsupported_file",
    )


async def store(context: ServerContext, project_id: str, found: Found) -> str:
    """The id of a new asset of one job that holds the media. Raises ApiError when its source has just been deleted."""
    media, source = found.media, found.asset
    if source is None:
        assert found.path is not None
        key = f"uploads/{new_id('asset_')}"
        stored = await context.run(context.storage.put_file, key, found.path, found.content_type)
        size, digest = stored.bytes, stored.sha256
    else:
        key, size, digest = source.key, source.bytes, source.sha256
    new = NewAsset(
        project_id=project_id,
        variant=media.kind,
        key=key,
        content_type=found.content_type,
        bytes=size,
        sha256=digest,
        width=media.width,
        height=media.height,
        num_frames=media.num_frames,
        fps=media.fps or None,
    )
    asset = await context.run(add_asset, context.db, new, context.clock())
    # A new row keeps its source's bytes from now on; it came too late if the source was deleted before.
    if source is not None and await context.run(get_asset, context.db, project_id, source.id) is None:
        await forget(context, project_id, [asset.id])
        raise ApiError(404, "A source of this video has just been deleted.", code="not_found")
    return asset.id


async def forget(context: ServerContext, project_id: str, asset_ids: Sequence[str]) -> None:
    """Removes assets that no job came to use, and their bytes where nobody else has them."""
    for asset_id in asset_ids:
        for key in await context.run(forget_asset, context.db, project_id, asset_id, context.clock()):
            await context.run(context.storage.delete, key)


def media_assets(timeline: Mapping[str, Any]) -> list[str]:
    """The ids of the assets that a stored timeline names."""
    names = [pin["media"] for pin in timeline.get("pins", ())]
    return sorted({name.removeprefix("asset:") for name in names if name.startswith("asset:")})
