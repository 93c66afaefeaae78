"""One claim: from the job's row to a stored video, or to the reason why there is none.

Whatever happens, one of four things is true afterwards: the job is completed and its bytes are stored; it has failed
and says why; it is queued again; or it is no longer this worker's. In the last three nothing of it stays in storage but
the checkpoint that the next attempt starts from.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from daybreak.database.assets import NewAsset, get_asset
from daybreak.database.connect import Database, DatabaseUnavailable
from daybreak.durable import OutOfSpace
from daybreak.engines.produce import generate_clip, provenance
from daybreak.engines.protocol import Engine, refuse_unsupported
from daybreak.generation import Preview, State, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.jobs.job import Claim
from daybreak.jobs.queue import MAX_ATTEMPTS, complete, fail, give_back, save_checkpoint, save_preview
from daybreak.media.encode import check_target
from daybreak.media.variants import preview_image
from daybreak.storage import Damaged, Missing, Storage, StorageUnavailable
from daybreak.timeline import Pin, Timeline
from daybreak.worker.checkpoints import forget_states, load_state, store_state
from daybreak.worker.deliver import PASSING, discard, output_key, store_files, write_files
from daybreak.worker.failures import Draining, Lost, MediaUnavailable, failure_of, is_out_of_memory, step_timeout
from daybreak.worker.heart import Heart, Watch
from daybreak.worker.pace import Pace
from daybreak.worker.shelf import Shelf

log = structlog.get_logger()
_LAST_WORDS = 10.0  # seconds in which a hung worker may still say why
_TELL_TRIES = 12
_BUGS = {"internal_error", "storage_unavailable"}  # codes whose cause an operator has to see
_ROOM = 64 * 2**20  # bytes that must be free before compute is spent on a clip
_LATER = 30.0  # seconds until a job is tried again whose video could not be stored
_TOLD = ("revised_prompt", "revised_prompts", "not_followed")  # of a clip's record: what its row tells as well
_PREVIEW_SHARE = 9  # a preview may take a tenth of the time
OUTPUTS = ("video.mp4", "thumbnail.webp", "spritesheet.jpg")


@dataclass(frozen=True, slots=True)
class Tools:
    """What a worker works with."""

    db: Database
    storage: Storage
    shelf: Shelf
    folder: Path  # for what lies on this machine only while a job runs
    pace: Pace
    stopping: threading.Event  # set when the worker is to end soon
    on_hung: Callable[[], None]  # ends the process: a step that hangs cannot be stopped in any other way
    clock: Callable[[], float] = time.time


def run_attempt(tools: Tools, claim: Claim) -> None:
    """Returns when the claim is settled. Raises DatabaseUnavailable when nobody could be told how."""
    began = tools.clock()
    told = log.bind(job=claim.job.id, fence=claim.fence, model=claim.job.engine_model)
    told.info("claimed", attempt=claim.job.attempts, step=claim.job.checkpoint_step)
    folder = tools.folder / f"{claim.job.id}-{claim.fence}"

    def hung(seconds: float) -> None:
        told.error("hung", seconds=round(seconds))
        # The database may hang as well: the process ends in any case.
        timer = threading.Timer(_LAST_WORDS, tools.on_hung)
        timer.daemon = True
        timer.start()
        with contextlib.suppress(DatabaseUnavailable):
            fail(tools.db, claim, step_timeout(seconds), tools.clock())
            forget_states(tools.db, tools.storage, claim)
        shutil.rmtree(folder, ignore_errors=True)
        tools.on_hung()

    try:
        with Heart(tools.db, claim, tools.pace, tools.clock) as heart, Watch(tools.pace, hung) as watch:
            attempt = _Attempt(tools, claim, folder, heart, watch)
            ended = _settle(tools, claim, attempt, began)
            attempt.discard()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    told.info(ended, seconds=round(tools.clock() - began, 2))


def _settle(tools: Tools, claim: Claim, attempt: _Attempt, began: float) -> str:
    """What became of the claim, in a word."""
    now = tools.clock
    try:
        assets = attempt.make()
        completed = _persist(tools, lambda: complete(tools.db, claim, assets, now(), now() - began, attempt.told))
        return "completed" if completed else "not kept"
    except Lost:
        return "lost"
    except Draining:
        _persist(tools, lambda: give_back(tools.db, claim, now(), counted=False))
        return "given back"
    except DatabaseUnavailable:
        raise
    except BaseException as failure:
        if not isinstance(failure, Exception):
            _persist(tools, lambda: give_back(tools.db, claim, now(), counted=False))
            raise
        if attempt.may_try_again(failure):
            log.warning("storage failed", job=claim.job.id, reason=str(failure))
            _persist(tools, lambda: give_back(tools.db, claim, now(), counted=True, delay=_LATER))
            return "given back"
        error = failure_of(failure, claim.job.engine_model)
        if is_out_of_memory(failure):
            tools.shelf.clear()
        cause = {"cause": "".join(traceback.format_exception(failure))[-4000:]} if error.code in _BUGS else {}
        log.warning("failed", job=claim.job.id, code=error.code, **cause)
    _persist(tools, lambda: fail(tools.db, claim, error, now()))
    return error.code


def _persist(tools: Tools, tell: Callable[[], bool]) -> bool:
    """What `tell` returns, asked again while the database is away: hours of compute may hang on it.

    When the lease has ended meanwhile the fence decides. Raises DatabaseUnavailable after minutes, or when the process
    has to be started again.
    """
    wait = tools.pace.retry
    for _ in range(_TELL_TRIES):
        try:
            return tell()
        except DatabaseUnavailable as error:
            if tools.db.broken:
                raise
            log.warning("the database is away", reason=str(error))
            time.sleep(wait)
            wait = min(2 * wait, 30.0)
    return tell()


class _Attempt:
    """What is going on, in the order of its methods."""

    def __init__(self, tools: Tools, claim: Claim, folder: Path, heart: Heart, watch: Watch) -> None:
        self._tools, self._claim, self._folder = tools, claim, folder
        self._heart, self._watch = heart, watch
        self._storing = False
        self.told: dict[str, Any] = {}  # what the engine says of the clip

    def make(self) -> list[NewAsset]:
        """The stored files of the finished clip. Raises whatever ends the job early."""
        job, shelf = self._claim.job, self._tools.shelf
        original, settings = Timeline.from_dict(job.timeline), GenerationSettings.from_dict(job.settings)
        self._folder.mkdir(parents=True)
        check_target(self._folder / "video.mp4", needed=_ROOM)
        engine = shelf.take(job.engine_model)
        refuse_unsupported(engine, original, settings)
        timeline = replace(original, pins=tuple(self._fetched(pin) for pin in original.pins))
        steps = _Steps(self._tools, self._claim, self._heart, self._watch)
        video = self._generate(engine, timeline, settings, steps)
        if video is None:  # not in an except block: its exception would hold on to what filled the memory
            del engine
            shelf.clear()
            engine = shelf.take(job.engine_model)
            video = self._generate(engine, timeline, settings, steps, last=True)
            assert video is not None
        self.told = {name: video.metadata[name] for name in _TOLD if name in video.metadata}
        record = {**video.metadata, **provenance(engine, original, settings), "job": job.id}
        return self._store(replace(video, metadata=record))

    def may_try_again(self, failure: Exception) -> bool:
        """Whether another attempt may succeed soon: storage failed, and this was not the last attempt."""
        storage = isinstance(failure, StorageUnavailable) or (self._storing and isinstance(failure, PASSING))
        return storage and self._claim.job.attempts < MAX_ATTEMPTS

    def discard(self) -> None:
        """Removes what this attempt left in storage and nothing names now."""
        forget_states(self._tools.db, self._tools.storage, self._claim)
        if self._storing:
            discard(self._tools.db, self._tools.storage, [output_key(self._claim, name) for name in OUTPUTS])

    def _fetched(self, pin: Pin) -> Pin:
        """The pin with its media in a file here. Raises MediaUnavailable."""
        kind, _, asset_id = pin.media.partition(":")
        asset = get_asset(self._tools.db, self._claim.job.project_id, asset_id) if kind == "asset" else None
        if asset is None:
            raise MediaUnavailable(pin.media)
        path = self._folder / asset.id
        if not path.exists():
            try:
                self._tools.storage.get_file(asset.key, path, asset.sha256)
            except (Missing, Damaged) as error:
                raise MediaUnavailable(str(error)) from error
        return replace(pin, media=str(path))

    def _generate(
        self, engine: Engine, timeline: Timeline, settings: GenerationSettings, steps: _Steps, *, last: bool = False
    ) -> Video | None:
        """The clip; None when memory ran out, unless this was the `last` try."""
        self._heart.check()
        state = load_state(self._tools.storage, steps.saved) if steps.saved else None
        self._watch.stage()
        try:
            return generate_clip(engine, timeline, settings, steps, state, self._made)
        except Exception as error:
            if last or not is_out_of_memory(error):
                raise
            log.warning("out of memory", job=self._claim.job.id, reason=str(error)[:200])
            return None

    def _made(self) -> None:
        self._watch.stage()
        self._heart.stage("encoding")

    def _store(self, video: Video) -> list[NewAsset]:
        files = write_files(video, self._folder)
        self._watch.stage()
        self._heart.stage("storing")
        self._storing = True
        return store_files(self._tools.storage, self._claim, files, video, self._heart.check, self._tools.pace.retry)


class _Steps:
    """The `on_step` of an attempt: tells, saves, shows, and stops it within one step."""

    def __init__(self, tools: Tools, claim: Claim, heart: Heart, watch: Watch) -> None:
        self._tools, self._claim, self._heart, self._watch = tools, claim, heart, watch
        self.saved = claim.job.checkpoint_key  # the newest state in storage
        self._saved_at = self._preview_at = time.monotonic()

    def __call__(
        self, done: int, total: int, preview: Preview | None = None, state: Callable[[], State] | None = None
    ) -> None:
        self._watch.step()
        self._heart.step(done, total)
        self._heart.check()
        now = time.monotonic()
        stopping = self._tools.stopping.is_set()
        if state is not None and (stopping or now - self._saved_at >= self._tools.pace.checkpoint_every):
            self._save(done, state)
        if stopping:
            raise Draining
        if preview is not None and now >= self._preview_at:
            self._show(done, preview)

    def _save(self, done: int, state: Callable[[], State]) -> None:
        """Stores a checkpoint; one that cannot be stored costs time after a crash, not the job."""
        try:
            key = store_state(self._tools.storage, self._claim, state())
            if not save_checkpoint(self._tools.db, self._claim, key, done):
                self._heart.beat()  # which says whether the job is cancelled or another worker's
                self._heart.check()
        except (*PASSING, OutOfSpace, DatabaseUnavailable) as error:
            log.warning("no checkpoint", job=self._claim.job.id, reason=str(error))
        else:
            if self.saved not in (None, key):
                forget_states(self._tools.db, self._tools.storage, self._claim)
            self.saved = key
        self._saved_at = time.monotonic()

    def _show(self, done: int, preview: Preview) -> None:
        began = time.monotonic()
        try:
            frames = preview()
            save_preview(self._tools.db, self._claim, done, preview_image(frames[len(frames) // 2]))
        except DatabaseUnavailable as error:
            log.warning("no preview", job=self._claim.job.id, reason=str(error))
        now = time.monotonic()
        self._preview_at = now + max(self._tools.pace.preview_every, _PREVIEW_SHARE * (now - began))
