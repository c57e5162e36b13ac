"""Media types: what they are, and which of them a request says it accepts."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from contentgroove._openapi.documents import DocumentError, as_object

if TYPE_CHECKING:
    from contentgroove._openapi.operations import Operation

MEDIA_TYPE = re.compile(
    r"[A-Za-z0-9!#$&^_.+*-]+/[A-Za-z0-9!#$&^_.+*-]+(?:\s*;\s*[A-Za-z0-9!#$&^_.+-]+=(?:[A-Za-z0-9!#$&^_.+:/-]+|\"[^\"\\]*\"))*"
)

_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)

# Python's own codecs, with which no text is sent. The time that punycode takes grows with the square of the size.
_NO_CHARSETS = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined"})

_TEXTS = re.compile(
    r"[/+.-](?:x-)?(?:nd)?(?:json|xml|yaml|javascript|ecmascript|graphql|sql|x-www-form-urlencoded|jsonl)$"
)


def essence(media_type: str) -> str:
    """Return a media type without parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()


def charset_of(media_type: str) -> str:
    """Return the codec of a media type's charset, UTF-8 without one.

    Raises:
        LookupError: The charset is not known.
    """
    found = _CHARSET.search(media_type)
    codec = codecs.lookup(found[1]).name if found else "utf-8"
    if codec in _NO_CHARSETS:
        raise LookupError(codec)
    return codec


def is_json(media_type: str) -> bool:
    """Return whether values of a media type are one JSON value."""
    kind = essence(media_type)
    return kind in {"application/json", "text/json"} or kind.endswith("+json")


def is_text(media_type: str) -> bool:
    """Return whether values of a media type are text."""
    kind = essence(media_type)
    return kind.startswith("text/") or _TEXTS.search(kind) is not None


def accept_header(operation: Operation) -> str:
    """Return the Accept header of an operation, by the responses that its document has.

    JSON comes first, because models read it best, then the other types of successes, those of errors, and last anything
    else: many documents do not name all types.
    """
    successes: list[str] = []
    errors: list[str] = []
    try:
        responses = operation.responses
    except DocumentError:
        # The request does not depend on it.
        responses = {}
    for status, response in responses.items():
        types = [str(name).strip() for name in as_object(response.get("content"))]
        is_success = status.startswith("2") or (status == "default" and len(responses) == 1)
        (successes if is_success else errors).extend(name for name in types if MEDIA_TYPE.fullmatch(name))
    ranked = {
        **{name: "" for name in successes if is_json(name)},
        **{name: ";q=0.9" for name in successes if not is_json(name)},
    }
    for name in errors:
        ranked.setdefault(name, ";q=0.5")
    if not ranked:
        return "*/*"
    ranked.setdefault("*/*", ";q=0.1")
    return ", ".join(f"{_without_charset(name)}{quality}" for name, quality in ranked.items())


def _without_charset(media_type: str) -> str:
    # A response in another charset is welcome, too.
    return re.sub(r"\s*;\s*(?:charset|q)=[^;]*", "", media_type, flags=re.IGNORECASE)
