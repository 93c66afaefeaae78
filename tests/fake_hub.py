"""A hub of models on loopback: the two requests that a pull makes, and the ways in which they go wrong."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class FakeHub:
    """Serves one folder as one repository; the attributes can be changed between requests."""

    def __init__(self, folder: Path, repository: str = "someone/model") -> None:
        self.folder, self.repository = folder, repository
        self.cut: dict[str, int] = {}  # a file's name to the bytes after which its connection ends, once
        self.damaged: set[str] = set()  # files that arrive with a bit flipped, once
        self.ranges = True
        self.gated = False
        self.requests: list[tuple[str, str | None]] = []  # (file, its Range)
        self.url = ""

    def listing(self) -> dict[str, Any]:
        siblings = []
        for path in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            content, name = path.read_bytes(), path.relative_to(self.folder).as_posix()
            row: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": git_id(content)}
            if name.endswith(".safetensors"):
                digest = hashlib.sha256(content).hexdigest()
                row["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 130}
            siblings.append(row)
        return {"id": self.repository, "sha": COMMIT, "siblings": siblings, "private": False, "tags": []}


def git_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@contextmanager
def serving(hub: FakeHub) -> Iterator[FakeHub]:
    """The hub at its `url` within the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path.startswith(f"/api/models/{hub.repository}"):
                self._answer(200, json.dumps(hub.listing()).encode())
            elif path.startswith(f"/{hub.repository}/resolve/{COMMIT}/"):
                self._file(path.removeprefix(f"/{hub.repository}/resolve/{COMMIT}/"))
            else:
                self._answer(404, b"{}")

        def _file(self, name: str) -> None:
            wanted = self.headers.get("Range")
            hub.requests.append((name, wanted))
            content = (hub.folder / name).read_bytes()
            if name in hub.damaged:
                hub.damaged.discard(name)
                content = content[:-1] + bytes([content[-1] ^ 1])
            start = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted and hub.ranges else 0
            self._answer(206 if start else 200, content[start:], cut=hub.cut.pop(name, None))

        def _answer(self, status: int, content: bytes, cut: int | None = None) -> None:
            if hub.gated:
                status, content = 403, b"{}"
            self.send_response(status)
            if hub.gated:
                self.send_header("X-Error-Code", "GatedRepo")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(content if cut is None else content[:cut])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
