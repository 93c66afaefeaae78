"""Identifiers: a prefix that says what it names, and 128 random bits."""

from __future__ import annotations

import re
import secrets

# The separator is part of OpenAI's form: file-…, but video_….
PREFIXES = ("video_", "asset_", "file-", "char_", "batch_", "we_", "wh_", "evt_", "proj_", "key_")
_FORM = re.compile(r"(?:video_|asset_|file-|char_|batch_|we_|wh_|evt_|proj_|key_)[0-9a-f]{32}", re.ASCII)


def new_id(prefix: str) -> str:
    """A fresh identifier: the prefix, with or without its separator, and 32 hex digits.

    Raises ValueError for a prefix that there is not.
    """
    for known in PREFIXES:
        if prefix in (known, known[:-1]):
            return known + secrets.token_hex(16)
    raise ValueError(f"no identifier starts with {prefix!r}: the prefixes are {', '.join(PREFIXES)}")


def is_id(text: str, prefix: str) -> bool:
    """Whether the text has the form of an identifier with this prefix: what the database need not be asked about."""
    return text.startswith(prefix) and _FORM.fullmatch(text) is not None
