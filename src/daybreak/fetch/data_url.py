"""What a `data:` URL holds."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from daybreak.fetch.addresses import FetchRefused

_HEAD = re.compile(r"data:([a-z0-9.+-]+/[a-z0-9.+-]+)?(?P<parameters>(;[a-z0-9.+=_-]+)*),", re.IGNORECASE)


def decode_data_url(text: str, max_bytes: int) -> bytes:
    """The bytes that a `data:` URL holds. Raises FetchRefused."""
    head = _HEAD.match(text[:1024])
    if head is None:
        raise FetchRefused("it is not a data URL like data:image/png;base64,…")
    encoded, as_base64 = text[head.end() :], head["parameters"].lower().endswith(";base64")
    if len(encoded) > max_bytes * (4 if as_base64 else 9) // 3 + 4:
        raise FetchRefused(f"it holds more than {max_bytes} bytes")
    if not as_base64:
        content = unquote_to_bytes(encoded)
    else:
        try:
            content = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except (binascii.Error, ValueError) as error:
            raise FetchRefused("its base64 is broken") from error
    if not content:
        raise FetchRefused("it is empty")
    if len(content) > max_bytes:
        raise FetchRefused(f"it holds more than {max_bytes} bytes")
    return content
