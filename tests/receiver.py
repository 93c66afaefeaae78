"""A small HTTP server of a test: it keeps what is posted to it, serves a few bytes, and tells what was posted."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Posted:
    """A request that came in."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Runs while it is a context. `served`: bytes by path."""

    def __init__(self, served: Mapping[str, bytes] | None = None) -> None:
        self.posts: list[Posted] = []
        receiver, files = self, dict(served or {})

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                receiver.posts.append(Posted(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                self._answer(200, b"")

            def do_GET(self) -> None:
                path, _, about = self.path.partition("?about=")
                posted = receiver.about(about) if path == "/posts" else files.get(path)
                self._answer(404 if posted is None else 200, posted or b"")

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def about(self, text: str) -> bytes | None:
        """The first post whose body has this text, as JSON: what GET /posts?about=TEXT answers."""
        for post in list(self.posts):
            if text.encode() in post.body:
                return json.dumps({"headers": post.headers, "body": post.body.decode()}).encode()
        return None

    def wait_for(self, wanted: Callable[[Posted], bool], seconds: float = 60.0) -> Posted:
        """The first post that is wanted. Raises AssertionError when none comes."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for post in list(self.posts):
                if wanted(post):
                    return post
            time.sleep(0.05)
        raise AssertionError(f"none of {len(self.posts)} posts was wanted")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
