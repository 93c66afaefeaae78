"""One worker, one job: what it leaves behind when all goes well, and when anything fails."""

from __future__ import annotations

import errno
import hashlib
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from daybreak.catalog import ModelUnavailable
from daybreak.database.assets import NewAsset, add_asset, job_assets
from daybreak.database.projects import DEFAULT_PROJECT
from daybreak.durable import OutOfSpace
from daybreak.generation import EngineFailed, InvalidOutput, Unsupported, Video
from daybreak.jobs.queue import claim, delete_job, get_preview, request_cancel
from daybreak.media.encode import encode_video
from daybreak.media.probe import UnreadableVideo, decode_video, probe_video
from daybreak.media.provenance import read_settings
from daybreak.server.schemas import video_object
from daybreak.testing import FakeEngine, make_clip
from daybreak.timeline import Pin
from daybreak.worker import attempt as attempts
from daybreak.worker.checkpoints import checkpoint_key, load_state, store_state
from working import FOUR_STEPS, TIMELINE, Place, assert_clean, below, quick, until

VARIANTS = {"video": "video.mp4", "thumbnail": "thumbnail.webp", "spritesheet": "spritesheet.jpg"}


def test_a_job_becomes_a_stored_video_with_its_pictures(place: Place) -> None:
    job_id = place.submit()
    assert place.work()
    job = place.job(job_id)
    assert (job.status, job.progress, job.error, job.attempts) == ("completed", 100, None, 1)
    assets = job_assets(place.db, DEFAULT_PROJECT, job_id)
    assert {variant: asset.key for variant, asset in assets.items()} == {
        variant: f"videos/{job_id}/1/{name}" for variant, name in VARIANTS.items()
    }
    assert place.stored() == sorted(asset.key for asset in assets.values())  # the checkpoint is gone
    for asset in assets.values():
        content = b"".join(place.storage.read(asset.key))
        assert (len(content), hashlib.sha256(content).hexdigest()) == (asset.bytes, asset.sha256)
    video = assets["video"]
    assert (video.width, video.height, video.num_frames, video.fps) == (96, 64, 6, 12.0)
    path = place.storage.local_path(video.key)
    assert path is not None
    assert probe_video(path).num_frames == 6
    assert read_settings(path)["job"] == job_id
    assert place.left_over() == []
    assert get_preview(place.db, job_id) is None
    assert not place.work()


def test_what_the_engine_says_of_a_clip_is_in_its_row_and_on_the_wire(place: Place) -> None:
    told = {"revised_prompt": "a brown dog runs", "not_followed": ["a submarine"]}
    place.engine = FakeEngine(metadata={**told, "num_inference_steps": 4})
    said, silent = place.submit(), place.submit()
    assert place.work()
    place.engine = FakeEngine()
    assert place.work()
    assert place.job(said).told == told
    shown = video_object(place.job(said))["daybreak"]
    assert {name: shown[name] for name in told} == told
    shown = video_object(place.job(silent))["daybreak"]
    assert (shown["revised_prompt"], shown["not_followed"]) == (None, [])


def test_while_it_runs_the_row_says_how_far_it_is(place: Place) -> None:
    job_id = place.submit()
    seen: list[Any] = []

    def look() -> None:
        until(lambda: place.job(job_id).steps_done == 3)
        assert get_preview(place.db, job_id) is not None
        job = place.job(job_id)
        seen.extend([job.stage, job.steps_total, job.progress, job.checkpoint_step])
        assert job.checkpoint_key is not None
        assert job.lease_until is not None
        assert job.lease_until > time.time() + 10

    place.at_step(4, look)
    place.work()
    assert seen == ["generating", 4, 75, 3]


FAILURES = [
    (MemoryError(), "out_of_memory"),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), "out_of_memory"),
    (InvalidOutput("after step 4 of 9 the latents are not finite numbers"), "invalid_output"),
    (ModelUnavailable("/secret/model.json is missing"), "model_unavailable"),
    (Unsupported("a loop is too short"), "unsupported"),
    (EngineFailed("moderation_blocked", "no"), "moderation_blocked"),
    (OutOfSpace("/secret is full"), "disk_full"),
    (OSError(errno.ENOSPC, "no space left", "/secret"), "disk_full"),
    (OSError(errno.EIO, "input/output error", "/secret"), "storage_unavailable"),
    (UnreadableVideo("/secret holds no video"), "media_unavailable"),
    (ZeroDivisionError("/secret"), "internal_error"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "code"), FAILURES, ids=[code for _, code in FAILURES])
def test_a_failure_has_its_code_and_the_next_job_runs(place: Place, error: Exception, code: str) -> None:
    import torch  # noqa: F401 - only then can there be an allocator's error

    job_id = place.submit()
    place.fails(error)
    assert place.work()
    job = place.job(job_id)
    assert (job.status, place.code(job_id)) == ("failed", code)
    assert job.error is not None
    assert "secret" not in job.error.message
    assert job.error.message.endswith(".")
    assert_clean(place)


def test_memory_that_ran_out_once_is_freed_and_the_job_goes_on_from_its_last_step(place: Place) -> None:
    job_id = place.submit()
    place.fails(MemoryError(), at=3, times=1)
    begun: list[int] = []
    fail = place.engine._before_step  # type: ignore[attr-defined]
    place.engine = FakeEngine(before_step=lambda step: (begun.append(step), fail(step))[0])
    assert place.work()
    assert place.job(job_id).status == "completed"
    assert begun == [1, 2, 3, 3, 4]
    assert place.opened == 2


def test_a_clip_of_one_colour_is_not_completed(place: Place) -> None:
    class Blank(FakeEngine):
        def generate(self, *arguments: Any, **options: Any) -> Video:
            made = super().generate(*arguments, **options)
            return replace(made, frames=np.zeros_like(made.frames))

    place.engine = Blank()
    job_id = place.submit()
    place.work()
    assert place.code(job_id) == "invalid_output"
    assert_clean(place)


def test_what_the_model_cannot_honour_is_refused_before_any_step(place: Place) -> None:
    begun = place.at_step(9, None)
    job_id = place.submit(replace(TIMELINE, loop=True))
    place.work()
    assert (place.code(job_id), begun) == ("unsupported", [])


def test_a_model_that_is_gone_fails_the_job(place: Place) -> None:
    job_id = place.submit(model="removed")
    place.work()
    error = place.job(job_id).error
    assert error is not None
    assert (error.code, error.message) == (
        "model_unavailable", "The model 'removed' is not installed here any more, or is not whole.",
    )  # fmt: skip


def stored_clip(place: Place) -> str:
    """The id of an asset that is a clip of half a second."""
    path = place.folder / "source.mp4"
    encode_video(Video(make_clip(6, 64, 96, seed=5), 12.0), path)
    stored = place.storage.put_file("uploads/source.mp4", path, "video/mp4")
    new = NewAsset(DEFAULT_PROJECT, "video", stored.key, "video/mp4", stored.bytes, stored.sha256)
    return add_asset(place.db, new, time.time()).id


def test_the_media_of_a_timeline_are_fetched_and_kept_as_they_are(place: Place) -> None:
    asset_id = stored_clip(place)
    timeline = replace(
        TIMELINE, spec=replace(TIMELINE.spec, num_frames=12), pins=(Pin(f"asset:{asset_id}", "video", end=0.5),)
    )
    place.engine = FakeEngine(frozenset({"video_pin"}))
    job_id = place.submit(timeline)
    place.work()
    path = place.storage.local_path(job_assets(place.db, DEFAULT_PROJECT, job_id)["video"].key)
    assert path is not None
    made = decode_video(path).frames.astype(int)
    assert np.abs(made[:6] - make_clip(6, 64, 96, seed=5)).mean() < 5  # compressed twice
    assert np.abs(made[10:] - make_clip(12, 64, 96, seed=1)[10:]).mean() < 5
    # What the file says of itself names no file of this machine.
    assert read_settings(path)["timeline"]["pins"][0]["media"] == f"asset:{asset_id}"


@pytest.mark.parametrize("gone", ["row", "bytes", "changed", "path"])
def test_media_that_are_gone_or_changed_fail_the_job(place: Place, gone: str) -> None:
    media = f"asset:{stored_clip(place)}" if gone in ("bytes", "changed") else "asset:asset_1"
    if gone == "bytes":
        place.storage.delete("uploads/source.mp4")
    if gone == "changed":
        place.storage.put_bytes("uploads/source.mp4", b"other", "video/mp4")
    if gone == "path":
        media = str(place.folder / "source.mp4")  # a row's media are never a path of this machine
    place.engine = FakeEngine(frozenset({"video_pin"}))
    job_id = place.submit(replace(TIMELINE, pins=(Pin(media, "video"),)))
    place.work()
    assert place.code(job_id) == "media_unavailable"
    assert place.left_over() == []


def test_cancelling_frees_the_worker_within_one_step(place: Place) -> None:
    job_id = place.submit()

    def cancel() -> None:
        request_cancel(place.db, DEFAULT_PROJECT, job_id, time.time())
        time.sleep(0.3)  # more than a heartbeat

    begun = place.at_step(2, cancel)
    place.work()
    assert begun == [1, 2]
    assert (place.job(job_id).status, place.code(job_id)) == ("failed", "cancelled")
    assert_clean(place)


def test_a_deleted_job_stops_and_leaves_nothing(place: Place) -> None:
    job_id = place.submit()

    def delete() -> None:
        deleted = delete_job(place.db, DEFAULT_PROJECT, job_id, time.time())
        assert deleted is not None
        for key in deleted.keys:
            place.storage.delete(key)
        time.sleep(0.3)

    begun = place.at_step(3, delete)
    place.work()
    assert begun == [1, 2, 3]
    assert_clean(place)


def test_a_worker_that_is_to_end_saves_the_step_and_gives_the_job_back(place: Place) -> None:
    job_id = place.submit()
    place.pace = quick(checkpoint_every=1000.0)
    assert place.at_step(2, place.stopping.set) is not None
    place.work()
    job = place.job(job_id)
    assert (job.status, job.attempts, job.checkpoint_step) == ("queued", 0, 2)
    assert job.checkpoint_key == f"checkpoints/{job_id}/1.safetensors"
    place.stopping.clear()
    begun = place.at_step(9, None)
    place.work("two")
    assert begun == [3, 4]
    assert place.job(job_id).status == "completed"
    assert below(place, "checkpoints/") == []


def test_a_dead_worker_s_job_goes_on_from_its_checkpoint(place: Place) -> None:
    job_id = place.submit()
    dead = claim(place.db, "dead", time.time() - 100, 15)
    assert dead is not None
    key = store_state(place.storage, dead, {"step": np.array([3])})
    assert attempts.save_checkpoint(place.db, dead, key, 3)
    begun = place.at_step(9, None)
    place.work()
    assert begun == [4]
    assert (place.job(job_id).status, place.job(job_id).fence) == ("completed", 2)
    assert below(place, f"videos/{job_id}/2/") == place.stored()


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_a_damaged_checkpoint_is_not_gone_on_from(place: Place, damage: str) -> None:
    place.submit()
    dead = claim(place.db, "dead", time.time() - 100, 15)
    assert dead is not None
    key = store_state(place.storage, dead, {"step": np.array([3])})
    attempts.save_checkpoint(place.db, dead, key, 3)
    content = b"".join(place.storage.read(key))
    if damage == "gone":
        place.storage.delete(key)
    else:
        broken = content[:-3] if damage == "cut" else content[:-1] + bytes([content[-1] ^ 1])
        place.storage.put_bytes(key, broken, "application/octet-stream")
    assert load_state(place.storage, checkpoint_key(dead)) is None
    begun = place.at_step(9, None)
    place.work()
    assert begun == list(FOUR_STEPS)


@pytest.mark.parametrize("late", ["while it works", "before it stores", "before it completes"])
def test_a_worker_that_was_taken_for_dead_changes_nothing(
    place: Place, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = place.submit()

    def stopped_for_long() -> None:
        """What SIGSTOP does: time passes, the lease ends, another worker makes the video."""
        other = Place.__new__(Place)
        other.__dict__.update(place.__dict__, engine=FakeEngine(), pace=quick(lease=1000.0))
        with place.db.write() as connection:
            from sqlalchemy import update

            from daybreak.database.tables import jobs

            connection.execute(update(jobs).values(lease_until=time.time() - 1))
        assert other.work("two")

    place.pace = quick(beat=1000.0)  # and no heartbeat tells it
    if late == "while it works":
        place.at_step(3, stopped_for_long)
    else:
        name = {"before it stores": "store_files", "before it completes": "complete"}[late]
        real = getattr(attempts, name)

        def once(*arguments: Any) -> Any:
            monkeypatch.setattr(attempts, name, real)
            stopped_for_long()
            return real(*arguments)

        monkeypatch.setattr(attempts, name, once)
    assert place.work("one")
    job = place.job(job_id)
    assert (job.status, job.fence) == ("completed", 2)
    assert place.stored() == sorted(f"videos/{job_id}/2/{name}" for name in VARIANTS.values())
    assert place.left_over() == []
