"""The names of tools and their arguments, made from a document's tags, paths and titles."""

from __future__ import annotations

import hashlib
import itertools
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_NAMESPACE = 32

MAX_PUBLIC_NAME = 64
"""Characters of a name that common hosts of tools accept."""

_WORDS = re.compile(r"[A-Za-z0-9]+")
_VERSION = re.compile(r"v\d+", re.IGNORECASE)


def to_camel_case(text: str) -> str:
    """Join the words of a text: `webhook_subscriptions` becomes `webhookSubscriptions`; empty if there are none."""
    words: list[str] = _WORDS.findall(_ascii(text))
    if not words:
        return ""
    first = words[0].lower() if words[0].isupper() else words[0][0].lower() + words[0][1:]
    return first + "".join(word[0].upper() + word[1:] for word in words[1:])


def group_name(tags: list[str], path: str) -> str:
    """Return an operation's group: its first tag, or the first segment of its path that is not `api` or a version."""
    segments = (part for part in path.split("/") if part != "api" and not _VERSION.fullmatch(part) and "{" not in part)
    candidates = (to_camel_case(text) for text in (*tags[:1], *segments))
    return next((name for name in candidates if name), "default")


def leaf_name(method: str, path: str) -> str:
    """Return the name of an operation: `GET /api/v1/clips/{id}` is `getApiV1ClipsId`."""
    return to_camel_case(f"{method.lower()} {path}")


def to_slug(title: str) -> str:
    """Return a namespace for a title: `Pet Store (v2)` becomes `pet-store-v2`; empty if nothing is left."""
    return "-".join(_WORDS.findall(_ascii(title).lower()))[:MAX_NAMESPACE].strip("-")


def argument_name(name: str) -> str:
    """Return a parameter's name among a tool's arguments, in characters that common hosts accept."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:MAX_PUBLIC_NAME]


def unused_name(name: str, taken: Collection[str], separator: str = "") -> str:
    """Return a name, with a number at its end if it is taken."""
    numbered = (f"{name}{separator}{number}" for number in itertools.count(2))
    return next(free for free in itertools.chain([name], numbered) if free not in taken)


def public_name(name: str, *, dotted: bool) -> str:
    """Return the name that hosts receive.

    Several hosts reject all tools because of one name with a dot or more than 64 characters. So dots become
    underscores, and a long name ends with a digest of the whole.
    """
    public = name if dotted else re.sub(r"[^A-Za-z0-9_-]", "_", name)
    if len(public) <= MAX_PUBLIC_NAME:
        return public
    return f"{public[: MAX_PUBLIC_NAME - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
