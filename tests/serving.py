"""A server without workers inside a test: its application, its database, and clips that are done at once."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from starlette.testclient import TestClient

from daybreak.database.assets import NewAsset
from daybreak.database.connect import open_database
from daybreak.fetch import FetchPolicy
from daybreak.generation import Video
from daybreak.jobs.job import Job, JobError
from daybreak.jobs.queue import claim, complete, fail, get_job
from daybreak.media.encode import encode_video
from daybreak.server.app import make_app
from daybreak.server.auth import DEFAULT_PROJECT
from daybreak.server.context import ServerContext
from daybreak.settings import Settings
from daybreak.storage import open_storage
from daybreak.testing import make_clip, make_tone

NOW = 1_800_000_000.0


def png(width: int = 64, height: int = 64, kind: str = "PNG") -> bytes:
    """A picture file."""
    ramp = np.linspace(0, 255, width * height * 3, dtype=np.uint8).reshape(height, width, 3)
    stream = io.BytesIO()
    Image.fromarray(ramp).save(stream, kind)
    return stream.getvalue()


class Served:
    """A running application. `client` speaks HTTP to it; the rest looks behind it."""

    def __init__(self, folder: Path, policy: FetchPolicy | None = None, **settings: Any) -> None:
        self.folder = folder
        self.settings = Settings(data_dir=folder / "data", **settings)
        self.db = open_database(f"sqlite:///{folder / 'jobs.sqlite'}")
        self.storage = open_storage(str(folder / "media"))
        self.now = NOW
        self.context = ServerContext(
            self.settings, self.db, self.storage, policy or FetchPolicy(), clock=lambda: self.now
        )
        self.client = TestClient(make_app(self.context), base_url="http://localhost")
        self._clips: dict[tuple[Any, ...], Path] = {}

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        """The JSON of a JSON request that succeeds."""
        answer = self.client.post(path, json=body, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def form(self, path: str, fields: list[tuple[str, Any]] | dict[str, Any], **more: Any) -> Any:
        """The answer to a multipart request; a value is a text, or (filename, bytes, content type)."""
        pairs = fields.items() if isinstance(fields, dict) else fields
        parts = [(name, value if isinstance(value, tuple) else (None, str(value))) for name, value in pairs]
        return self.client.post(path, files=parts, **more)

    def error(self, answer: Any, status: int = 400) -> dict[str, Any]:
        """The envelope of a failure."""
        assert answer.status_code == status, answer.text
        assert list(answer.json()) == ["error"]
        error = answer.json()["error"]
        assert sorted(error) == ["code", "message", "param", "type"]
        return error  # type: ignore[no-any-return]

    def job(self, video_id: str, project_id: str = DEFAULT_PROJECT) -> Job:
        job = get_job(self.db, project_id, video_id)
        assert job is not None
        return job

    def clip(self, num_frames: int = 24, width: int = 96, height: int = 64, fps: float = 24.0) -> Path:
        """An mp4 file with sound."""
        shape = (num_frames, height, width, fps)
        if shape not in self._clips:
            path = self.folder / f"clip-{'x'.join(map(str, shape))}.mp4"
            encode_video(Video(make_clip(num_frames, height, width), fps, make_tone(num_frames / fps)), path)
            self._clips[shape] = path
        return self._clips[shape]

    def finish(self, clip: Path | None = None, error: JobError | None = None) -> Job:
        """The next job in the queue, ended as a worker would end it."""
        claimed = claim(self.db, "worker", self.now, 15)
        assert claimed is not None
        job = claimed.job
        if error is not None:
            assert fail(self.db, claimed, error, self.now)
            return self.job(job.id, job.project_id)
        path = clip or self.clip()
        num_frames, height, width, fps = (float(part) for part in path.stem.removeprefix("clip-").split("x"))
        stored = self.storage.put_file(f"videos/{job.id}/{claimed.fence}/video.mp4", path, "video/mp4")
        asset = NewAsset(
            project_id=job.project_id,
            variant="video",
            key=stored.key,
            content_type="video/mp4",
            bytes=stored.bytes,
            sha256=stored.sha256,
            job_id=job.id,
            width=int(width),
            height=int(height),
            num_frames=int(num_frames),
            fps=fps,
        )
        assert complete(self.db, claimed, [asset], self.now, 1.5)
        return self.job(job.id, job.project_id)

    def finished(self, prompt: str = "a dog", **fields: Any) -> Job:
        """A completed video."""
        self.post("/v1/videos", {"prompt": prompt, "seconds": 1, "size": "96x64", **fields})
        return self.finish()

    def stored(self) -> list[str]:
        """The keys of everything in object storage."""
        return sorted(self.storage.keys())


@contextmanager
def serve(folder: Path, policy: FetchPolicy | None = None, **settings: Any) -> Iterator[Served]:
    """A server while the block runs."""
    served = Served(folder, policy, **settings)
    with served.client:
        yield served
    served.db.close()
