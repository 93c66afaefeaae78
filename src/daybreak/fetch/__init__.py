"""Requests to addresses that somebody else named: a picture to fetch, a webhook to call.

Whoever names the URL must not reach what this machine can reach. So a name is resolved once, every address that it has
must be public, and the connection goes to the address that was checked, not to the name again; a redirect is a new URL
and is checked like one. No proxy, no cookie and no credential is taken from anywhere. One deadline covers a request
from the name's resolution to the last byte, however slowly bytes drip.
"""

from __future__ import annotations

from daybreak.fetch.addresses import FetchPolicy, FetchRefused, check_url, is_public
from daybreak.fetch.data_url import decode_data_url
from daybreak.fetch.requests import Answer, FetchedFile, fetch_url, post_json

__all__ = [
    "Answer",
    "FetchPolicy",
    "FetchRefused",
    "FetchedFile",
    "check_url",
    "decode_data_url",
    "fetch_url",
    "is_public",
    "post_json",
]
