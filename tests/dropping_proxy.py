"""A proxy between a client and a server that loses some of the answers, after the server has acted on the request."""

from __future__ import annotations

import http.client
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_PASSED = ("content-type", "authorization", "idempotency-key", "x-stainless-retry-count")


class DroppingProxy:
    """Runs while it is a context. `share` of the answers to POST are not passed on: the connection just ends."""

    def __init__(self, port: int, share: float, seed: int) -> None:
        self.dropped = self.passed = 0
        proxy, dice, lock = self, random.Random(seed), threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name: self.headers[name] for name in _PASSED if name in self.headers}
                upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                upstream.request("POST", self.path, body, headers)
                answer = upstream.getresponse()
                content = answer.read()
                upstream.close()
                with lock:
                    lose = dice.random() < share
                    proxy.dropped += lose
                    proxy.passed += not lose
                if lose:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                self.send_header("content-type", answer.headers["content-type"])
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The base URL for a client."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def send_creates(url: str, count: int, prompt: str = "a brown dog runs") -> list[str]:
    """The ids that the official client was given for so many creates, all with the same words in the same moment.

    It retries up to ten times: with the usual two, 2.7 % of the creates would fail for good at 30 % of losses.
    """
    from openai import OpenAI

    ids = []
    with OpenAI(base_url=url, api_key="any", max_retries=10) as client:
        for number in range(count):
            body = {"prompt": f"{prompt} {number // 4}", "size": "96x64", "seconds": "0.5"}
            video = client.post("/videos", body=body, cast_to=dict) if number % 2 else client.videos.create(**body)
            ids.append(video["id"] if isinstance(video, dict) else video.id)
    return ids
