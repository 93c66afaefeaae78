"""kill -9 at random moments, and the one checker of what must be true afterwards; bench/faults.py runs it at full size.

I1 every acknowledged id is listed and ends · I2 one job per idempotency key · I3 one end, never back · I4 completed
means that the content is whole and decodes · I5 no orphaned bytes after the sweep · I6 one webhook id per end, sent at
least once · I7 deleted stays deleted · I8 the database is sound.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import random
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import select

from daybreak.database.connect import open_database
from daybreak.database.maintenance import check_integrity, unreferenced_keys
from daybreak.database.tables import assets, jobs
from daybreak.media.probe import probe_video
from daybreak.storage import open_storage
from daybreak.worker.sweep import sweep_storage
from live_server import LiveServer, until
from receiver import Receiver

ENDED = ("completed", "failed")
_AWAY = (urllib.error.URLError, ConnectionError, TimeoutError, http.client.HTTPException)
_RENDERED = {"size": "192x108", "seconds": "1", "model": "diorama"}
_DRAWN = {"size": "96x64", "seconds": "0.25", "model": "tiny", "num_inference_steps": 20}


@dataclass(slots=True)
class Campaign:
    """`jobs` creates while `kills` processes die; `pause` is the longest time between two deaths, in seconds."""

    server: LiveServer
    receiver: Receiver
    jobs: int
    kills: int
    seed: int
    pause: float = 5.0
    ids: dict[int, str] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)
    while_running: int = 0
    seen: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> dict[str, Any]:
        """The figures, among them `violations`, which should be empty."""
        began = time.monotonic()
        hook = {"name": "a", "url": f"{self.receiver.url}/hook", "event_types": ["video.completed", "video.failed"]}
        self.server.post("/v1/webhook_endpoints", hook)
        threads = [threading.Thread(target=work, daemon=True) for work in (self._create, self._watch)]
        for thread in threads:
            thread.start()
        self._kill(random.Random(self.seed))
        threads[0].join(300)
        videos = self._wait_for_all()
        self._over.set()
        threads[1].join(60)
        violations = [*self._check_ends(videos), *self._check_content(videos), *self._check_webhooks(videos)]
        violations += self._check_deletion(videos)
        self.server.stop()
        violations += self._check_at_rest()
        states = Counter(video["error"]["code"] if video["error"] else video["status"] for video in videos.values())
        return {
            "jobs": len(self.ids), "kills": dict(self.killed), "while a job ran": self.while_running,
            "ends": dict(states), "resumed above step 0": self._resumed(), "violations": violations,
            "seconds": round(time.monotonic() - began),
        }  # fmt: skip

    def _create(self) -> None:
        """Sends every create until it is acknowledged, spread over the deaths."""
        for number in range(self.jobs):
            body = {
                "prompt": f"a brown dog runs, {number}",
                "seed": number,
                **(_DRAWN if number % 3 == 0 else _RENDERED),
            }
            until(lambda n=number: self.killed.total() >= (n / self.jobs) * self.kills * 0.8 - 1, 600)
            while number not in self.ids:
                with contextlib.suppress(*_AWAY):
                    key = {"idempotency-key": f"key-{number}"}
                    self.ids[number] = self.server.post("/v1/videos", body, **key)["id"]
                    break
                time.sleep(0.1)

    def _watch(self) -> None:
        """Notes every state that a client could see."""
        while not self._over.wait(0.2):
            with contextlib.suppress(*_AWAY):
                for video in self.server.get("/v1/videos?limit=100")["data"]:
                    states = self.seen[video["id"]]
                    if not states or states[-1] != video["status"]:
                        states.append(video["status"])

    def _kill(self, dice: random.Random) -> None:
        while self.killed.total() < self.kills:
            time.sleep(dice.uniform(0.2, self.pause))
            runs = any(states[-1] == "in_progress" for states in list(self.seen.values()))
            if dice.random() < 0.4:
                self.server.kill()
                self.server.start()
                self.killed["server"] += 1
            else:
                until(self.server.workers, 90)
                self.killed["worker"] += self.server.kill_worker()
            self.while_running += runs

    def _wait_for_all(self) -> dict[str, dict[str, Any]]:
        """Every video by its id, once all have ended, or when none has for five minutes."""
        ended, deadline = -1, 0.0
        while True:
            videos = {video["id"]: video for video in all_videos(self.server)}
            now_ended = sum(video["status"] in ENDED for video in videos.values())
            if now_ended > ended:
                ended, deadline = now_ended, time.monotonic() + 300
            if ended >= self.jobs or time.monotonic() > deadline:
                return videos
            time.sleep(0.5)

    def _check_ends(self, videos: dict[str, dict[str, Any]]) -> list[str]:
        wrong = [f"I1 {made} is lost" for made in self.ids.values() if made not in videos]
        wrong += [f"I1 {made} is {v['status']}" for made, v in videos.items() if v["status"] not in ENDED]
        if len(self.ids) < self.jobs:
            wrong.append(f"I1 only {len(self.ids)} of {self.jobs} creates were acknowledged")
        if len(videos) != self.jobs or len(set(self.ids.values())) != len(self.ids):
            wrong.append(f"I2 {len(videos)} jobs for {self.jobs} keys")
        for made, states in self.seen.items():
            ends = [state for state in states if state in ENDED]
            if len(ends) > 1 or (ends and states[-1] != ends[0]):
                wrong.append(f"I3 {made} went {' > '.join(states)}")
        return wrong

    def _check_content(self, videos: dict[str, dict[str, Any]]) -> list[str]:
        wrong = []
        for made, video in videos.items():
            if video["status"] != "completed":
                continue
            for variant in ("video", "thumbnail", "spritesheet"):
                url = f"{self.server.root}/v1/videos/{made}/content?variant={variant}"
                with urllib.request.urlopen(url, timeout=60) as answer:
                    content, etag = answer.read(), answer.headers["etag"].strip('"')
                if hashlib.sha256(content).hexdigest() != etag:
                    wrong.append(f"I4 {made} {variant} is not what was stored")
                if variant == "video" and frames_of(content) != round(float(video["seconds"]) * 24):
                    wrong.append(f"I4 {made} has {frames_of(content)} frames")
        return wrong

    def _check_webhooks(self, videos: dict[str, dict[str, Any]]) -> list[str]:
        def told() -> dict[str, set[str]]:
            by_video: dict[str, set[str]] = defaultdict(set)
            for post in list(self.receiver.posts):
                by_video[json.loads(post.body)["data"]["id"]].add(post.headers["webhook-id"])
            return by_video

        with contextlib.suppress(AssertionError):
            until(lambda: set(videos) <= set(told()), 120, 0.5)
        ids = told()
        wrong = [f"I6 nobody was told about {made}" for made in videos if made not in ids]
        return wrong + [f"I6 {made} has {len(found)} webhook ids" for made, found in ids.items() if len(found) != 1]

    def _check_deletion(self, videos: dict[str, dict[str, Any]]) -> list[str]:
        """Deletes every tenth, and kills the server the moment that the last one is acknowledged."""
        chosen = list(videos)[::10]
        for made in chosen:
            request = urllib.request.Request(f"{self.server.url}/videos/{made}", method="DELETE")
            urllib.request.urlopen(request, timeout=60).close()
        self.server.kill()
        self.server.start()
        listed = {video["id"] for video in all_videos(self.server)}
        return [f"I7 {made} is back" for made in chosen if made in listed]

    def _check_at_rest(self) -> list[str]:
        """What the database and the storage say when no process uses them, after the sweep."""
        db = open_database(self.server.database_url)
        storage = open_storage(str(self.server.folder / "data" / "media"))
        try:
            wrong = [f"I8 {line}" for line in check_integrity(db)]
            sweep_storage(db, storage)
            keys = list(chain.from_iterable(storage.keys(prefix) for prefix in ("videos/", "checkpoints/")))
            wrong += [f"I5 {key} belongs to nothing" for key in unreferenced_keys(db, keys)]
            wrong += [f"I5 {key} is a checkpoint of an ended job" for key in keys if key.startswith("checkpoints/")]
            with db.read() as connection:
                living = connection.execute(select(assets).where(assets.c.deleted_at.is_(None))).all()
                rows = {row.id: row for row in connection.execute(select(jobs).where(jobs.c.deleted_at.is_(None)))}
            for asset in living:
                if storage.size(asset.key) != asset.bytes:
                    wrong.append(f"I5 the bytes of {asset.key} are not there")
            results = Counter((asset.job_id, asset.variant) for asset in living if asset.job_id in rows)
            wrong += [f"I3 {made} has {count} visible {name}s" for (made, name), count in results.items() if count != 1]
            wrong += [f"I3 {row.id} is {row.status} and leased" for row in rows.values() if row.lease_until is not None]
            return wrong
        finally:
            db.close()

    def _resumed(self) -> int:
        """How often a job went on from a saved step, as the workers' log tells."""
        lines = [line for line in self.server.log.read_text().splitlines() if '"claimed"' in line]
        return sum(json.loads(line)["step"] > 0 for line in lines)


def all_videos(server: LiveServer) -> list[dict[str, Any]]:
    """Every video of the project that needs no key."""
    videos: list[dict[str, Any]] = []
    after = ""
    while True:
        page = server.get(f"/v1/videos?limit=100&order=asc{after}")
        videos += page["data"]
        if not page["has_more"]:
            return videos
        after = f"&after={page['last_id']}"


def frames_of(content: bytes) -> int:
    """The number of frames of an mp4 file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        path.write_bytes(content)
        return probe_video(path).num_frames
