"""Names of tools.

The canonical name is `group.leaf`: the group from the operation's first tag, the leaf from its method and its whole
path on the wire, so that a name survives the move of a base path from the paths into the server's URL.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

MAX_PUBLIC_NAME = 64
"""Characters of a name that common hosts of tools take."""

MAX_NAMESPACE = 32

_WORDS = re.compile(r"[A-Za-z0-9]+")
_VERSION = re.compile(r"v\d+", re.IGNORECASE)


def to_camel_case(text: str) -> str:
    """Join the words of a text: `webhook_subscriptions` becomes `webhookSubscriptions`; empty if there are none."""
    words: list[str] = _WORDS.findall(_ascii(text))
    if not words:
        return ""
    first = words[0].lower() if words[0].isupper() else words[0][0].lower() + words[0][1:]
    return first + "".join(word[0].upper() + word[1:] for word in words[1:])


def group(tags: list[str], path: str) -> str:
    """Name the group: of the first tag, else of the first part of the path that says what it is about."""
    for tag in tags[:1]:
        if named := to_camel_case(tag):
            return named
    for part in path.split("/"):
        if (
            part
            and part != "api"
            and not _VERSION.fullmatch(part)
            and "{" not in part
            and (named := to_camel_case(part))
        ):
            return named
    return "default"


def leaf(method: str, path: str) -> str:
    """Name the operation: `GET /api/v1/clips/{id}` is `getApiV1ClipsId`."""
    return to_camel_case(f"{method.lower()} {path}")


def to_slug(title: str) -> str:
    """Make a namespace of a title: `Pet Store (v2)` becomes `pet-store-v2`; empty if nothing is left."""
    return "-".join(_WORDS.findall(_ascii(title).lower()))[:MAX_NAMESPACE].strip("-")


def public_name(name: str, *, dotted: bool) -> str:
    """Give the name that clients are shown.

    Several hosts reject all tools because of one name with a dot, or of more than 64 characters: dots become
    underscores, and a long name ends with a digest of the whole.
    """
    shown = name if dotted else re.sub(r"[^A-Za-z0-9_-]", "_", name)
    if len(shown) <= MAX_PUBLIC_NAME:
        return shown
    return f"{shown[: MAX_PUBLIC_NAME - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def argument_name(name: str) -> str:
    """Name a parameter among a tool's arguments, in the letters that common hosts take: no brackets, no spaces."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:MAX_PUBLIC_NAME]


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
