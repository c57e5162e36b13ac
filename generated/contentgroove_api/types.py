"""What the endpoint modules share: requests, responses, and how values are written into a URL."""

from __future__ import annotations

import datetime
import os

# `threading` imports more than one who reads webhooks needs.
from _thread import allocate_lock, get_native_id
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from sys import getrecursionlimit
from typing import Any, Generic, TypeAlias, TypeVar

from msgspec import UNSET, DecodeError, Struct, UnsetType, json

Unset = UnsetType

T = TypeVar("T")

FilterValue: TypeAlias = str | int | float | bool | datetime.datetime | datetime.date
"""What a query parameter may be; a filter may also be several of these."""

MAX_LEVELS = 100
"""How many objects and arrays a JSON text may hold in one another: as many as Ruby's JSON takes; APIs use under ten."""

_AS_ARRAYS = bytes.maketrans(b"{}", b"[]")
_UNMARKED = bytes(set(range(256)) - set(b'[]{}"'))
_NO_OPENERS = bytes(set(range(256)) - set(b"[{"))
_TOO_MANY = b"[" * (MAX_LEVELS + 1)

_LONG = 16 * 1024
_LARGE_STACK = 8 * 1024 * 1024
# A call of a decoder takes about 200 bytes of the stack.
_CALLS = 10_000


class Request(Struct, frozen=True, kw_only=True):
    """An HTTP request, relative to the API's base URL."""

    method: str
    path: str
    """The path, percent-encoded, beginning with a slash."""
    query: str = ""
    """The query, percent-encoded, without the question mark."""
    headers: dict[str, str] = {}
    content: bytes | None = None

    def __repr__(self) -> str:
        # Queries, headers and bodies may contain credentials, such as a signed URL.
        return f"Request({self.method} {self.path})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("method", self.method), ("path", self.path)]


class Response(Struct, Generic[T], frozen=True, kw_only=True):
    """An HTTP response with its decoded body."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    parsed: T
    """The decoded body; None for a status that the API's document does not name, or without a body."""


class UnexpectedBody(ValueError):
    """A response's body does not fit the API's document."""

    def __init__(self, status_code: int, reason: str) -> None:
        self.status_code = status_code
        super().__init__(f"The response with status {status_code} does not fit the API's document: {reason}")


def _quote(text: str, safe: str) -> str:
    # Imported at the first request: a program that only reads webhooks does without.
    from urllib.parse import quote

    return quote(text, safe=safe)


def path_segment(name: str, value: object) -> str:
    """Percent-encode a path parameter.

    Raises:
        ValueError: The value would lead to another endpoint: it is empty, `.` or `..`.
    """
    text = "" if value is None else str(value)
    if text in ("", ".", ".."):
        raise ValueError(f"{name} must not be {text!r}: it would lead to another endpoint")
    return _quote(text, "")


def query_text(value: object) -> str:
    """Write one scalar value of a query parameter."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    return str(value)


def encode_query(parameters: Iterable[tuple[str, object]]) -> str:
    """Write query parameters: objects as `deepObject` (`page[number]=1`), lists as repeated values."""
    return "&".join(f"{_quote(name, '[]')}={_quote(text, '')}" for name, text in _pairs(parameters))


def _pairs(parameters: Iterable[tuple[str, object]]) -> Iterator[tuple[str, str]]:
    for name, value in parameters:
        if value is UNSET or value is None:
            continue
        if isinstance(value, Mapping):
            yield from _pairs((f"{name}[{key}]", item) for key, item in value.items())
        elif isinstance(value, (list, tuple, set, frozenset)):
            # The brackets tell the receiving framework that the values form a list, inside an object too.
            suffix = "[]" if "[" in name else ""
            yield from _pairs((f"{name}{suffix}", item) for item in value)
        else:
            yield name, query_text(value)


def encode_body(body: object) -> bytes:
    """Write a JSON body; fields that are UNSET are left out."""
    return json.encode(body)


def check_levels(content: bytes) -> None:
    """Look how deeply a JSON text is nested, before a decoder does.

    Decoders call themselves for each level: how many they take depends on the Python and on the thread, and on some
    (Python 3.13, a thread whose stack is small) too many end the process.

    Raises:
        DecodeError: It has more than `MAX_LEVELS`.
    """
    if len(content.translate(None, _NO_OPENERS)) <= MAX_LEVELS:
        return
    marks = content.translate(_AS_ARRAYS, _UNMARKED)
    # One character is found much faster than two.
    if b"\\" in content and b'\\"' in content:
        marks = content.replace(b"\\\\", b"").replace(b'\\"', b"").translate(_AS_ARRAYS, _UNMARKED)
    # Without strings that hold no brackets, then without those that do.
    marks = marks.replace(b'""', b"")
    brackets = b"".join(marks.split(b'"')[::2])
    for _ in range(MAX_LEVELS):
        if _TOO_MANY in brackets:
            break
        outer = brackets.replace(b"[]", b"")
        if len(outer) == len(brackets):
            return
        brackets = outer
    if brackets:
        raise DecodeError(f"it has more than {MAX_LEVELS} levels of objects and arrays")


def protect_stack(content: bytes) -> None:
    """Check the levels of a response as `check_levels` does, unless the decoder stops in time by itself.

    It does so, with a RecursionError, in the main thread of Linux, whose stack is large: Python counts the calls. How
    large another thread's stack is cannot be asked. A long list takes a tenth longer where its levels are counted.

    Raises:
        DecodeError: It has more than `MAX_LEVELS`.
    """
    if (
        len(content) < _LONG
        or getrecursionlimit() > _CALLS
        or not _has_large_stack()
        or get_native_id() != os.getpid()
    ):
        check_levels(content)


@cache
def _has_large_stack() -> bool:
    """Tell whether the main thread has 8 MiB, as the limit says on Linux."""
    try:
        import resource

        os.confstr("CS_GNU_LIBC_VERSION")
    except (ImportError, AttributeError, ValueError, OSError):
        return False
    limit = resource.getrlimit(resource.RLIMIT_STACK)[0]
    return limit != resource.RLIM_INFINITY and limit >= _LARGE_STACK


_decoders: dict[type, json.Decoder[Any]] = {}
_making = allocate_lock()


def decoder(kind: type[T]) -> json.Decoder[T]:
    """Give the decoder of a kind of body, made on first use; numeric strings become numbers where one is declared."""
    found = _decoders.get(kind)
    if found is None:
        # One at a time: msgspec (0.22) crashes where threads are the first to use types at the same moment.
        with _making:
            found = _decoders[kind] = json.Decoder(kind, strict=False)
    return found


def decode_body(status_code: int, content: bytes, kind: type[T]) -> T:
    """Read a JSON body; numeric strings become numbers where a number is declared.

    Raises:
        UnexpectedBody: The body is not JSON, or not of that kind.
    """
    try:
        protect_stack(content)
        return decoder(kind).decode(content)
    except (DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise UnexpectedBody(status_code, str(error)) from error


__all__ = [
    "MAX_LEVELS",
    "UNSET",
    "FilterValue",
    "Request",
    "Response",
    "UnexpectedBody",
    "Unset",
    "check_levels",
    "decode_body",
    "decoder",
    "encode_body",
    "encode_query",
    "path_segment",
    "protect_stack",
    "query_text",
]
