"""What a tool's result says of an HTTP response: its body as JSON, text or base64, and what its headers mean."""

from __future__ import annotations

import base64
import codecs
import contextlib
import re
from typing import TYPE_CHECKING, Any

import msgspec
from contentgroove_api.types import check_levels

from contentgroove._core.retries import requested_delay

from .media_types import charset_of, essence, is_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contentgroove._openapi.documents import Json

MAX_LINKS = 50

_LINK = re.compile(r"\s*<([^>]*)>((?:\s*;\s*[^\s;,=\"]+(?:\s*=\s*(?:\"(?:[^\"\\]|\\.)*\"|[^\s;,\"]*))?)*)\s*(?:,|$)")
_LINK_PARAMETER = re.compile(r";\s*([^\s;,=\"]+)(?:\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;,\"]*)))?")


def body_data(content: bytes, headers: Mapping[str, str]) -> Any:
    """Return a body as JSON, else as text, else as base64 with its media type; None if it is empty.

    Without a Content-Type, a body that starts like an object or array is read as JSON (RFC 9110, 8.3).

    Args:
        content: The body.
        headers: The response's headers, names in lower case.
    """
    if not content:
        return None
    content_type = headers.get("content-type", "")
    # Some services write a mark of the byte order, which readers may ignore (RFC 8259, 8.1).
    bare = content.removeprefix(codecs.BOM_UTF8)
    text = _text(bare, content_type)
    if is_json(content_type) or (not content_type and bare.lstrip()[:1] in {b"{", b"["}):
        # JSON is UTF-8, whatever charset is named (RFC 8259, 11). Some services send another one nevertheless.
        for candidate in (bare, (text or "").encode("utf-8", "replace")):
            with contextlib.suppress(msgspec.DecodeError, UnicodeError, RecursionError):
                check_levels(candidate)
                return msgspec.json.decode(candidate)
        # Returned as text, so that the caller can see what is wrong with it.
        return bare.decode("utf-8", "replace") if text is None else text
    return (
        {"contentType": essence(content_type), "base64": base64.b64encode(content).decode()} if text is None else text
    )


def _text(content: bytes, content_type: str) -> str | None:
    """Return a body as text, None if it is none in the charset that its media type names, else in UTF-8."""
    try:
        return content.decode(charset_of(content_type))
    except (LookupError, UnicodeError):
        return None


def http_facts(status: int, headers: Mapping[str, str], now: float) -> Json:
    """Return the status, and what the headers say about what comes next, as far as there is something.

    Args:
        status: The HTTP status.
        headers: The response's headers, names in lower case.
        now: Seconds since 1970, which a date in Retry-After is compared with.

    Returns:
        `status`; `links` (RFC 8288), each with `url`, `rel` and its other parameters; `location`; `etag`; and
        `retry_after` in seconds.
    """
    facts: Json = {"status": status}
    if links := parse_links(headers.get("link", "")):
        facts["links"] = links
    for name in ("location", "etag"):
        if name in headers:
            facts[name] = headers[name]
    if "retry-after" in headers:
        seconds = requested_delay(headers, now)
        facts["retry_after"] = headers["retry-after"] if seconds is None else seconds
    return facts


def parse_links(header: str) -> list[Json]:
    """Return the links of a Link header (RFC 8288), at most `MAX_LINKS`; what cannot be read is left out."""
    links: list[Json] = []
    position = 0
    while len(links) < MAX_LINKS and (position := header.find("<", position)) >= 0:
        found = _LINK.match(header, position)
        if found is None:
            position += 1
            continue
        link: Json = {"url": found[1]}
        for name, quoted, plain in _LINK_PARAMETER.findall(found[2]):
            # The first parameter of a name counts ("rel", 3.3).
            link.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or plain)
        links.append(link)
        position = found.end()
    return links
