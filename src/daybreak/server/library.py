"""The studio's library: clips with what their owner says about them, folders, and what came from what."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from daybreak.catalog import PROCEDURAL_MODEL
from daybreak.database import library
from daybreak.database.assets import job_assets
from daybreak.database.library import MAX_RATING, MAX_TAGS, Clip, Filters, Folder
from daybreak.database.lineage import Kin, lineage
from daybreak.jobs.estimate import place
from daybreak.jobs.job import Job, Place
from daybreak.jobs.queue import delete_job, get_job, get_preview, request_cancel
from daybreak.server import again, api_keys, documents, live
from daybreak.server.auth import Principal, requires
from daybreak.server.body import read_body, small_limits
from daybreak.server.context import ServerContext, context_of
from daybreak.server.errors import invalid, invalid_type, missing, not_found
from daybreak.server.library_schemas import (
    Changed,
    LibraryFacets,
    LibraryFolder,
    LibraryItemDetail,
    LibraryPage,
    LineageList,
)
from daybreak.server.parameters import Parameters
from daybreak.server.schemas import to_json

router = APIRouter(tags=["Studio"])
Reader = Annotated[Principal, Depends(requires("videos.read"))]
Writer = Annotated[Principal, Depends(requires("videos.write"))]

MAX_TITLE, MAX_NAME, MAX_TAG, MAX_BULK = 200, 120, 60, 10_000
ACTIONS = ("favourite", "unfavourite", "trash", "restore", "delete", "move", "tag", "untag", "rate", "cancel")
Orders = Literal["newest", "oldest", "longest", "title", "best"]
Moment = Annotated[int | None, Query(ge=0, le=10_000_000_000, description="In Unix seconds.")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an action on many clips gives them, as far as that action gives anything."""

    folder: str | None = None
    tag: str = ""
    rating: int = 0


def item_object(clip: Clip, where: Place | None = None) -> dict[str, Any]:
    """A clip on the wire. `progress` is 100 only when it is completed."""
    plain = asdict(clip)
    plain["remixed_from_video_id"] = plain.pop("remixed_from_id")
    plain["tool"] = plain.pop("metadata").get("tool")  # of the studio's, where no kind of the API says it
    steps = 100 * clip.steps_done // clip.steps_total if clip.steps_total else 0
    return {
        "object": "library.item",
        **plain,
        "tags": list(clip.tags),
        "progress": 100 if clip.status == "completed" else min(99, steps),
        "procedural": clip.engine_model == PROCEDURAL_MODEL,
        "place": None if where is None else {"position": where.position, "eta_seconds": where.eta_seconds},
    }


def folder_object(folder: Folder) -> dict[str, Any]:
    return {"object": "library.folder", **asdict(folder)}


@router.get("/v1/library", response_model=LibraryPage)
async def list_items(  # noqa: PLR0913 - a search has many sides
    request: Request,
    principal: Reader,
    q: Annotated[str, Query(max_length=500, description="Words that prompt, title or tags all hold.")] = "",
    folder: Annotated[str | None, Query(description="A folder's id, or none.")] = None,
    tag: str | None = None,
    favourite: bool = False,
    status: Literal["queued", "in_progress", "completed", "failed", "unfinished"] | None = None,
    model: str | None = None,
    kind: str | None = None,
    size: str | None = None,
    trashed: bool = False,
    rating: Annotated[int | None, Query(ge=0, le=MAX_RATING, description="Stars at least; 0 for none given.")] = None,
    created_from: Moment = None,
    created_before: Moment = None,
    order: Orders = "newest",
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 60,
) -> Response:
    """Clips, with how many there are in all: any part of a long list can be had at once."""
    context = context_of(request)
    said = (q, folder, tag, favourite, status, model, kind, size, trashed)
    filters = Filters(*said, rating, created_from, created_before)
    clips, total = await context.run(
        library.list_clips, context.db, principal.project_id, filters, order, offset, limit
    )
    data = [item_object(clip) for clip in clips]
    return _json({"object": "list", "data": data, "total": total, "offset": offset})


@router.get("/v1/library/facets", response_model=LibraryFacets)
async def list_facets(request: Request, principal: Reader) -> Response:
    """How many clips there are of each sort: folders, tags, models, kinds, sizes."""
    context = context_of(request)
    found = await context.run(library.facets, context.db, principal.project_id)
    plain = asdict(found)
    for name in ("tags", "models", "kinds", "sizes"):
        plain[name] = [{"name": value, "count": count} for value, count in getattr(found, name)]
    plain["folders"] = [folder_object(folder) for folder in found.folders]
    return _json({"object": "library.facets", **plain})


@router.get("/v1/library/items/{video_id}", response_model=LibraryItemDetail)
async def retrieve_item(request: Request, video_id: str, principal: Reader) -> Response:
    """A clip with everything that is known about it: timeline, settings, files, place in the queue."""
    context = context_of(request)
    return _json(await context.run(_detail, context, principal.project_id, video_id))


@router.patch("/v1/library/items/{video_id}", response_model=LibraryItemDetail)
async def change_item(request: Request, video_id: str, principal: Writer) -> Response:
    """Changes what is said about a clip: title, favourite, rating, folder, tags. null takes title or folder away."""
    context = context_of(request)
    fields = (await read_body(request, small_limits())).fields
    parameters = Parameters(fields)
    changes: dict[str, Any] = {}
    title = parameters.text("title", MAX_TITLE) if fields.get("title") != "" else parameters.take("title")
    if "title" in fields:
        changes["title"] = title or None
    if (favourite := parameters.flag("favourite")) is not None:
        changes["favourite"] = favourite
    if (rating := parameters.whole("rating", 0, MAX_RATING)) is not None:
        changes["rating"] = rating
    folder = parameters.text("folder_id", 48)
    if "folder_id" in fields:
        changes["folder_id"] = folder
    tags = _tags(parameters.take("tags")) if "tags" in fields else None
    parameters.finish()
    await context.run(_change, context, principal.project_id, video_id, changes, tags)
    return _json(await context.run(_detail, context, principal.project_id, video_id))


@router.post("/v1/library/bulk", response_model=Changed)
async def change_many(request: Request, principal: Writer) -> Response:
    """One `action` for many clips, by `ids`: trash, folder, tag, favourite, rating, cancelling, deleting for good."""
    context = context_of(request)
    parameters = Parameters((await read_body(request, small_limits())).fields)
    action = parameters.choice("action", ACTIONS)
    if action is None:
        raise missing("action")
    ids = _texts("ids", parameters.take("ids"), MAX_BULK, 48)
    folder, tag = parameters.text("folder_id", 48), parameters.text("tag", MAX_TAG)
    rating = parameters.whole("rating", 0, MAX_RATING)
    parameters.finish()
    if action in ("tag", "untag") and tag is None:
        raise missing("tag")
    if action == "rate" and rating is None:
        raise missing("rating")
    what = Wanted(folder, (tag or "").strip(), rating or 0)
    changed = await context.run(_bulk, context, principal.project_id, action, ids, what)
    return _json({"object": "library.changed", "changed": changed})


@router.post("/v1/library/empty_trash", response_model=Changed)
async def empty_trash(request: Request, principal: Writer) -> Response:
    """Deletes for good what is in the trash."""
    context = context_of(request)

    def empty() -> list[str]:
        ids = library.trashed_ids(context.db, principal.project_id)
        return _bulk(context, principal.project_id, "delete", ids, Wanted())

    return _json({"object": "library.changed", "changed": await context.run(empty)})


@router.get("/v1/library/items/{video_id}/lineage", response_model=LineageList)
async def retrieve_lineage(request: Request, video_id: str, principal: Reader) -> Response:
    """The clip's family: what it came from, and everything that came from those."""
    context = context_of(request)

    def read() -> list[dict[str, Any]]:
        _job(context, principal.project_id, video_id)
        family = lineage(context.db, principal.project_id, video_id)
        clips = library.get_clips(context.db, principal.project_id, [kin.id for kin in family])
        return [_kin_object(kin, clips.get(kin.id)) for kin in family]

    return _json({"object": "list", "data": await context.run(read)})


@router.get("/v1/library/items/{video_id}/preview", response_class=Response)
async def retrieve_preview(request: Request, video_id: str, principal: Reader, step: int = 0) -> Response:
    """The newest picture of a running clip, WebP; 204 when there is none (any more), for clips end while one is asked.

    `step` only tells caches the pictures apart.
    """
    context = context_of(request)
    await context.run(_job, context, principal.project_id, video_id)
    preview = await context.run(get_preview, context.db, video_id)
    if preview is None:
        return Response(status_code=204, headers={"cache-control": "no-store"})
    headers = {"cache-control": "private, max-age=600" if preview[0] == step else "no-store"}
    return Response(preview[1], media_type="image/webp", headers=headers)


@router.post("/v1/library/folders", response_model=LibraryFolder)
async def create_folder(request: Request, principal: Writer) -> Response:
    """A new folder with a `name`."""
    context = context_of(request)
    name = await _name_of(request)
    made = await context.run(library.create_folder, context.db, principal.project_id, name, context.clock())
    return _json(folder_object(made))


@router.patch("/v1/library/folders/{folder_id}", response_model=LibraryFolder)
async def rename_folder(request: Request, folder_id: str, principal: Writer) -> Response:
    """Gives a folder another `name`."""
    context = context_of(request)
    name = await _name_of(request)
    folder = await context.run(library.rename_folder, context.db, principal.project_id, folder_id, name)
    if folder is None:
        raise not_found("folder", folder_id)
    return _json(folder_object(folder))


@router.delete("/v1/library/folders/{folder_id}")
async def delete_folder(request: Request, folder_id: str, principal: Writer) -> Response:
    """Deletes a folder; its clips stay in the library."""
    context = context_of(request)
    if not await context.run(library.delete_folder, context.db, principal.project_id, folder_id):
        raise not_found("folder", folder_id)
    return _json({"id": folder_id, "object": "library.folder.deleted", "deleted": True})


async def _name_of(request: Request) -> str:
    parameters = Parameters((await read_body(request, small_limits())).fields)
    name = parameters.text("name", MAX_NAME, required=True)
    parameters.finish()
    assert name is not None
    return name.strip()


def _texts(name: str, value: Any, maximum: int, longest: int) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise invalid_type(name, "an array of strings", value)
    if len(value) > maximum:
        raise invalid(name, f"Invalid '{name}': at most {maximum} at once, but got {len(value)}.")
    if any(not one.strip() or len(one) > longest for one in value):
        raise invalid(name, f"Invalid '{name}': each has 1 to {longest} characters.")
    return value


def _tags(value: Any) -> list[str]:
    return sorted({tag.strip() for tag in _texts("tags", [] if value is None else value, MAX_TAGS, MAX_TAG)})


def _job(context: ServerContext, project_id: str, video_id: str) -> Job:
    job = get_job(context.db, project_id, video_id)
    if job is None:
        raise not_found("video", video_id)
    return job


def _detail(context: ServerContext, project_id: str, video_id: str) -> dict[str, Any]:
    job = _job(context, project_id, video_id)
    clip = library.get_clips(context.db, project_id, [video_id]).get(video_id)
    if clip is None:
        raise not_found("video", video_id)
    where = None if job.ended else place(context.db, job, context.clock())
    shown = ("variant", "content_type", "bytes", "sha256", "width", "height", "num_frames", "fps")
    assets = job_assets(context.db, project_id, video_id).values()
    return {
        **item_object(clip, where),
        "timeline": job.timeline,
        "settings": job.settings,
        "duration": job.duration,
        "revised_prompt": (job.told or {}).get("revised_prompt"),
        "not_followed": (job.told or {}).get("not_followed", []),
        "attempts": job.attempts,
        "metadata": job.metadata,
        "assets": [{name: getattr(asset, name) for name in shown} for asset in assets],
    }


def _change(
    context: ServerContext, project_id: str, video_id: str, changes: dict[str, Any], tags: list[str] | None
) -> None:
    _job(context, project_id, video_id)
    try:
        library.change_clips(context.db, project_id, [video_id], changes)
    except KeyError as error:
        raise not_found("folder", str(error.args[0])) from error
    if tags is not None:
        library.set_tags(context.db, project_id, video_id, tags)


def _bulk(context: ServerContext, project_id: str, action: str, ids: list[str], what: Wanted) -> list[str]:
    now = context.clock()
    if action == "delete":
        deleted = {video: delete_job(context.db, project_id, video, now) for video in ids}
        for gone in deleted.values():
            for key in gone.keys if gone else ():
                context.storage.delete(key)
        return [video for video, gone in deleted.items() if gone is not None]
    if action == "cancel":
        return [video for video in ids if request_cancel(context.db, project_id, video, now) is not None]
    changes: dict[str, dict[str, Any]] = {
        "favourite": {"favourite": True},
        "unfavourite": {"favourite": False},
        "trash": {"trashed_at": int(now)},
        "restore": {"trashed_at": None},
        "move": {"folder_id": what.folder},
        "rate": {"rating": what.rating},
    }
    tags = {what.tag: action == "tag"} if action in ("tag", "untag") else None
    try:
        return library.change_clips(context.db, project_id, ids, changes.get(action, {}), tags)
    except KeyError as error:
        raise not_found("folder", str(error.args[0])) from error


def _kin_object(kin: Kin, clip: Clip | None) -> dict[str, Any]:
    shown = ("title", "prompt", "kind", "status", "created_at", "size", "seconds")
    facts = {name: getattr(clip, name) if clip else None for name in shown}
    tool = clip.metadata.get("tool") if clip else None
    return {"id": kin.id, "sources": list(kin.sources), "gone": kin.gone or clip is None, "tool": tool, **facts}


def _json(value: Any) -> Response:
    return Response(to_json(value), media_type="application/json")


for _module in (again, documents, live, api_keys):
    router.routes.extend(_module.router.routes)
