"""The studio: its pages, its built files, and the cookie by which its pages send a key. The API works without it."""

from __future__ import annotations

import gzip
import mimetypes
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi import Path as PathParameter
from starlette.responses import HTMLResponse, Response

from daybreak import __version__
from daybreak.server.auth import COOKIE, identify, principal_of, public
from daybreak.server.body import read_body, small_limits
from daybreak.server.context import ServerContext, context_of
from daybreak.server.errors import ApiError
from daybreak.server.parameters import Parameters
from daybreak.server.schemas import to_json

router = APIRouter(include_in_schema=False, dependencies=[Depends(public)])

DIST = Path(__file__).parent / "dist"  # what `npm run build` in studio/ writes; ships in the wheel
# The pages that the studio's router knows. Anything else is the API's to refuse, and to a window the studio's.
PAGES = ("/", "/library", "/storyboard", "/compare", "/characters", "/settings")
PAGES_OF = ("/clip/{name}", "/storyboard/{name}")
FILES = ("favicon.svg", "theme.js", "NOTICES.txt")
_COOKIE_SECONDS = 90 * 86400
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_NOT_BUILT = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Daybreak</title></head>
<body>
<h1>Daybreak is running</h1>
<p>The API answers under <code>/v1</code>; its description is at <a href="openapi.json">openapi.json</a>.</p>
<p>The studio, which would be on this page, is not built. It comes with every installed package; in a clone of the
repository it is built by <code>make serve</code>, or by hand:</p>
<pre>cd studio &amp;&amp; npm ci &amp;&amp; npm run build</pre>
<p>That needs Node 20.19 or newer. Then load this page again.</p>
</body>
</html>
"""


async def page(request: Request) -> Response:
    """The one page that the studio is; its own router shows what the address says."""
    return _page(context_of(request))


def lost(request: Request) -> Response | None:
    """What somebody sees who opens an address that nobody has; None where a program asks, not a browser's window."""
    if request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
        return None
    return _page(context_of(request), status=404)


def _page(context: ServerContext, status: int = 200) -> Response:
    index = DIST / "index.html"
    headers = {"content-security-policy": _POLICY, "cache-control": "no-store"}
    if not index.is_file():
        return HTMLResponse(_NOT_BUILT, status, headers)
    base = f"/{context.settings.root_path.strip('/')}/".replace("//", "/")
    html = index.read_text(encoding="utf-8").replace("<head>", f'<head><base href="{base}">', 1)
    return HTMLResponse(html, status, headers)


for _path in (*PAGES, *PAGES_OF):
    router.add_api_route(_path, page, methods=["GET"], response_class=HTMLResponse)


@router.get("/assets/{name}")
async def asset(request: Request, name: Annotated[str, PathParameter(max_length=200)]) -> Response:
    """A file of the build that carries a digest in its name and never changes."""
    return _answer(request, DIST / "assets", name, "public, max-age=31536000, immutable")


async def named_file(request: Request) -> Response:
    """A file of the build that keeps its name."""
    return _answer(request, DIST, request.url.path.rpartition("/")[2], "no-cache")


for _name in FILES:
    router.add_api_route(f"/{_name}", named_file, methods=["GET"])


def _answer(request: Request, folder: Path, name: str, cache: str) -> Response:
    found = _built(folder, name)
    if found is None:
        raise ApiError(404, f"Invalid URL ({request.method} {request.url.path[:200]})", code="unknown_url")
    path, changed = found
    plain, zipped, content_type = _contents(path, changed)
    headers = {"cache-control": cache, "vary": "accept-encoding"}
    if zipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(zipped, media_type=content_type, headers={**headers, "content-encoding": "gzip"})
    return Response(plain, media_type=content_type, headers=headers)


def _built(folder: Path, name: str) -> tuple[Path, int] | None:
    """A file that lies directly in a folder of the build, and when it was written; never another."""
    if "/" in name or "\\" in name or name.startswith("."):
        return None
    path = folder / name
    return (path, path.stat().st_mtime_ns) if path.is_file() else None


@lru_cache(maxsize=256)
def _contents(path: Path, _changed: int) -> tuple[bytes, bytes | None, str]:
    """A file's bytes, the same zipped where that helps, and its type."""
    plain = path.read_bytes()
    content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if content_type == "text/javascript":
        content_type = "text/javascript; charset=utf-8"
    if path.suffix in {".woff2", ".webp", ".png", ".mp4", ".jpg"}:
        return plain, None, "font/woff2" if path.suffix == ".woff2" else content_type
    return plain, gzip.compress(plain, 9, mtime=0), content_type


@router.get("/studio/info")
async def info(request: Request) -> Response:
    """What the studio has to know before anything else: whether a key is needed, and what this server is."""
    context = context_of(request)
    try:
        principal = await identify(request, context)
    except ApiError:
        principal = None
    body: dict[str, Any] = {"version": __version__, "signed_in": principal is not None}
    body["needs_key"] = principal is None or principal.key_id is not None
    if principal is not None:
        settings = context.settings
        body.update(
            model=settings.model,
            sora_model=settings.sora_model or settings.model,
            workers=settings.workers,
            loopback=context.loopback,
            scopes=sorted(principal.scopes),
            max_upload_mb=settings.max_upload_mb,
            max_image_mb=settings.max_image_mb,
        )
    return Response(to_json(body), media_type="application/json", headers={"cache-control": "no-store"})


@router.post("/studio/session")
async def sign_in(request: Request) -> Response:
    """Keeps a key in a cookie that scripts can't read, so that pictures and videos can be asked for with it."""
    context = context_of(request)
    parameters = Parameters((await read_body(request, small_limits())).fields)
    secret = parameters.text("key", 512, required=True)
    parameters.finish()
    assert secret is not None
    principal = await principal_of(secret.strip(), context)
    if principal is None:
        raise ApiError(401, "This is not a key of this server, or it was revoked.", code="invalid_api_key")
    response = Response(to_json({"signed_in": True}), media_type="application/json")
    response.set_cookie(COOKIE, secret.strip(), max_age=_COOKIE_SECONDS, **_cookie_options(request, context))
    return response


@router.delete("/studio/session")
async def sign_out(request: Request) -> Response:
    """Forgets the key."""
    response = Response(to_json({"signed_in": False}), media_type="application/json")
    response.delete_cookie(COOKIE, **_cookie_options(request, context_of(request)))
    return response


def _cookie_options(request: Request, context: ServerContext) -> dict[str, Any]:
    path = f"/{context.settings.root_path.strip('/')}".rstrip("/") or "/"
    secure = request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
    return {"httponly": True, "samesite": "strict", "secure": secure, "path": path}
