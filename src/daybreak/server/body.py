"""The body of a request, whichever way it is written: JSON, multipart with or without files, or urlencoded."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from daybreak.durable import full_disk_told
from daybreak.server.context import ServerContext, context_of
from daybreak.server.errors import ApiError, invalid
from daybreak.server.fields import check_text, nest, parse_json

_FLUSH = 2**20  # bytes of an upload that are gathered before a thread writes them
_MAX_PARTS, _MAX_FILES = 200, 20
_MAX_NAME = 255  # characters of a file's name that are kept


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Bytes that a body may have. `text` covers JSON, urlencoded forms and a multipart's fields together."""

    text: int = 24 * 2**20  # a data URL may have 20,971,520 characters
    file: int = 50 * 10**6
    files: int = _MAX_FILES

    @property
    def total(self) -> int:
        return self.text + self.files * self.file + 2**20


def small_limits() -> BodyLimits:
    """For bodies of a few names and numbers."""
    return BodyLimits(text=2**20, file=0, files=0)


def image_limits(context: ServerContext) -> BodyLimits:
    return BodyLimits(file=context.settings.max_image_mb * 10**6)


def video_limits(context: ServerContext) -> BodyLimits:
    return BodyLimits(file=context.settings.max_upload_mb * 10**6)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file part, lying at `path` until the request is answered. `content_type` is what the client claims."""

    path: Path
    bytes: int
    sha256: str
    filename: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Body:
    """`fields` as JSON would have said them; `files` by field name, and `uploads` all of them in order.

    A multipart's and a form's values are strings.
    """

    encoding: Literal["json", "multipart", "form", "none"]
    fields: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)
    uploads: list[tuple[str, Upload]] = field(default_factory=list)


async def read_body(request: Request, limits: BodyLimits | None = None) -> Body:
    """The request's body. Raises ApiError 400 for what can't be read, 413 for what is too large, 415 for other types.

    What its content-length says is too large is refused before a byte is read; the rest stops at the limit.
    """
    limits = limits or BodyLimits()
    kind, options = _content_type(request)
    is_multipart = kind == "multipart/form-data"
    _refuse_length(request, limits.total if is_multipart else limits.text)
    if request.headers.get("content-encoding", "identity").strip().lower() not in {"identity", ""}:
        raise ApiError(415, "Compressed bodies are not accepted.", code="unsupported_content_type")
    if is_multipart:
        return await _Multipart(request, limits, options.get(b"boundary", b"")).read()
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > limits.text:
            raise _too_large(limits.text)
    if not raw.strip():
        return Body("none")
    if kind in {"application/json", ""} or kind.endswith("+json"):
        return Body("json", _object(bytes(raw)))
    if kind == "application/x-www-form-urlencoded":
        if raw.lstrip()[:1] == b"{":  # curl -d without a content type
            return Body("json", _object(bytes(raw)))
        return Body("form", nest(_form_pairs(bytes(raw))))
    raise ApiError(
        415,
        f"Unsupported content type: '{kind[:100]}'. Send application/json or multipart/form-data.",
        code="unsupported_content_type",
    )


def _content_type(request: Request) -> tuple[str, dict[bytes, bytes]]:
    header = request.headers.get("content-type", "")
    try:
        kind, options = parse_options_header(header)
    except (ValueError, LookupError):  # RFC 2231 parameters in an encoding that doesn't exist
        kind, options = header.partition(";")[0].encode("latin-1", "replace"), {}
    return kind.decode("latin-1").strip().lower(), options


def _refuse_length(request: Request, limit: int) -> None:
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and len(length) < 20 and int(length) > limit:
        raise _too_large(limit)


def _object(raw: bytes) -> dict[str, Any]:
    value = parse_json(raw)
    if not isinstance(value, dict):
        raise invalid(None, "The body of your request must be a JSON object.", "invalid_body")
    return value


def _form_pairs(raw: bytes) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_PARTS, separator="&"
        )
    except ValueError as error:
        raise invalid(None, f"We could not parse the body of your request: {error}.", "invalid_body") from error
    for name, value in pairs:
        check_text(name)
        check_text(value)
    return pairs


@dataclass(slots=True)
class _Part:
    """One part of a multipart body while it arrives."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: str = ""
    filename: str | None = None
    content_type: str = ""
    text: bytearray = field(default_factory=bytearray)
    path: Path | None = None
    bytes: int = 0
    digest: Any = field(default_factory=hashlib.sha256)


class _Multipart:
    """Reads a multipart body: fields into memory, files into the request's own folder, hashed on the way."""

    def __init__(self, request: Request, limits: BodyLimits, boundary: bytes) -> None:
        self._request, self._limits = request, limits
        self._context = context_of(request)
        if not 0 < len(boundary) <= 70:  # RFC 2046
            raise invalid(None, "The multipart body has no valid boundary.", "invalid_body")
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._finish,
            },
        )
        self._part, self._name, self._value = _Part(), bytearray(), bytearray()
        self._parts = self._files = self._text_bytes = 0
        self._finished = False
        self._pairs: list[tuple[str, Any]] = []
        self._uploads: list[_Part] = []
        self._pending: list[tuple[_Part, list[bytes]]] = []
        self._pending_bytes = 0
        self._folder: Path | None = None

    async def read(self) -> Body:
        """The body. Raises ApiError."""
        async for chunk in self._chunks():
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise invalid(None, f"The multipart body is malformed: {error}.", "invalid_body") from error
            if self._pending_bytes >= _FLUSH:
                await self._flush()
        if not self._finished:
            raise invalid(None, "The multipart body ends before its closing boundary.", "invalid_body")
        await self._flush()
        uploads = [(part.name, _upload(part)) for part in self._uploads]
        files: dict[str, Upload] = {}
        for name, upload in uploads:
            files.setdefault(name, upload)
        return Body("multipart", nest(self._pairs), files, uploads)

    async def _chunks(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._request.stream():
            size += len(chunk)
            if size > self._limits.total:
                raise _too_large(self._limits.total)
            yield chunk

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise ApiError(413, f"The body has more than {_MAX_PARTS} parts.", code="too_many_parts")
        self._part = _Part()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._part.headers[bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        part = self._part
        try:
            _, options = parse_options_header(part.headers.get(b"content-disposition", b""))
        except (ValueError, LookupError) as error:
            raise invalid(None, "The multipart body is malformed: a part's name can't be read.") from error
        if b"name" not in options:
            raise invalid(None, "The multipart body is malformed: a part has no name.", "invalid_body")
        part.name = _utf8(options[b"name"])
        part.content_type = part.headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        if b"filename" in options:
            part.filename = _utf8(options[b"filename"])[:_MAX_NAME]
            self._files += 1
            if self._files > self._limits.files:
                raise ApiError(413, f"The body has more than {self._limits.files} files.", code="too_many_files")
            self._uploads.append(part)
            self._pending.append((part, []))

    def _data(self, data: bytes, start: int, end: int) -> None:
        part, size = self._part, end - start
        part.bytes += size
        if part.filename is None:
            self._text_bytes += size
            if self._text_bytes > self._limits.text:
                raise _too_large(self._limits.text)
            part.text += data[start:end]
            return
        if part.bytes > self._limits.file:
            raise _too_large(self._limits.file, part.name)
        self._pending[-1][1].append(data[start:end])
        self._pending_bytes += size

    def _end(self) -> None:
        part = self._part
        if part.filename is None:
            as_json = part.content_type == "application/json"
            self._pairs.append((part.name, parse_json(bytes(part.text)) if as_json else _utf8(bytes(part.text))))

    def _finish(self) -> None:
        self._finished = True

    async def _flush(self) -> None:
        """Hands what has arrived of the files to a thread that writes and hashes it."""
        waiting = self._pending
        if not waiting:
            return
        current = waiting[-1][0]
        self._pending, self._pending_bytes = [(current, [])], 0
        if self._folder is None:
            self._folder = await self._context.run(self._context.incoming_folder)
            cleanups_of(self._request).append(self._folder)
        await self._context.run(_write, waiting, self._folder)


def _write(waiting: list[tuple[_Part, list[bytes]]], folder: Path) -> None:
    for part, pieces in waiting:
        if part.path is None:
            part.path = folder / f"{len(list(folder.iterdir()))}"
        with full_disk_told(part.path), part.path.open("ab") as file:
            for piece in pieces:
                file.write(piece)
                part.digest.update(piece)


def _upload(part: _Part) -> Upload:
    assert part.path is not None
    assert part.filename is not None
    return Upload(part.path, part.bytes, part.digest.hexdigest(), part.filename, part.content_type)


def cleanups_of(request: Request) -> list[Path]:
    """The folders that are removed when the request is over."""
    folders: list[Path] = request.scope.setdefault("daybreak.folders", [])
    return folders


async def remove_folders(folders: list[Path], context: ServerContext) -> None:
    """Removes a request's folders, whatever becomes of the request."""
    for folder in folders:
        await asyncio.shield(context.run(shutil.rmtree, folder, ignore_errors=True))


def _utf8(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise invalid(None, f"The body is not UTF-8 at byte {error.start} of a field.", "invalid_body") from error
    check_text(text)
    return text


def _too_large(limit: int, param: str | None = None) -> ApiError:
    what = "The body" if param is None else f"The file '{param[:100]}'"
    return ApiError(413, f"{what} is larger than {limit} bytes.", param=param, code="too_large")
