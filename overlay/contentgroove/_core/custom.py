"""Calls of endpoints that this version of the library does not know."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from contentgroove_api.types import Request, encode_query

from contentgroove.errors import InvalidInputError

from .calls import Operation
from .decoding import NotAsContractedError
from .filters import check_filter

if TYPE_CHECKING:
    from collections.abc import Mapping

_METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "PATCH", "HEAD"})
_PATH = re.compile(r"(?:/[A-Za-z0-9_.~%:@!$&'()*+,;=-]+)+")
# RFC 9110, 5.6.2 and 5.5: a line break would begin another header.
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?|")
_REPEATABLE = frozenset({"GET", "PUT", "DELETE", "HEAD"})


def request(
    method: str, path: str, query: Mapping[str, Any] | None, body: object, headers: Mapping[str, str] | None
) -> Operation[Any]:
    """Check and build a call; its result is the answer's JSON, None without a body.

    Raises:
        InvalidInputError: The method, path or a header cannot be one, or the body is no JSON.
    """
    verb = str(method).upper()
    if verb not in _METHODS:
        raise InvalidInputError(f"{method!r} is none of {', '.join(sorted(_METHODS))}. Nothing was sent.")
    if not isinstance(path, str) or not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise InvalidInputError(
            f"{path!r} is not a path below the base URL: write it like '/medias', with a slash in front, without "
            "query and without empty, '.' or '..' parts. Nothing was sent."
        )
    content = None
    sent = dict(headers or {})
    for name, value in sent.items():
        given: tuple[object, object] = (name, value)
        if not all(isinstance(text, str) for text in given) or not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            # Without the value: it may be a credential.
            raise InvalidInputError(f"The header {name!r} has characters that HTTP forbids. Nothing was sent.")
    forbidden = {"authorization", "x-api-key", "host", "content-length", "transfer-encoding"} & {
        name.lower() for name in sent
    }
    if forbidden:
        raise InvalidInputError(f"The client sets {', '.join(sorted(forbidden))} itself. Nothing was sent.")
    if body is not None:
        try:
            content = msgspec.json.encode(body)
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidInputError(f"The body cannot be written as JSON: {error}. Nothing was sent.") from error
        sent.setdefault("Content-Type", "application/json")
    pairs = [(name, check_filter(value) if name == "filter" else value) for name, value in (query or {}).items()]
    built = Request(method=verb, path=path, query=encode_query(pairs), headers=sent, content=content)
    return Operation(built, _json, repeatable=verb in _REPEATABLE, gone_is_done=verb == "DELETE")


def _json(content: bytes) -> Any:
    if not content:
        return None
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise NotAsContractedError(str(error)) from error
