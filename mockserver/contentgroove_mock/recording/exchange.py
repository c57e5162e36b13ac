"""A recorded exchange, and its form as a text that people review in diffs."""

from __future__ import annotations

import json
from typing import Any, Literal, TypeAlias, cast

import msgspec
from msgspec import UNSET, Struct, UnsetType

Origin: TypeAlias = Literal["simulator", "spec example", "live"]

_INDENT = 2


class RecordingError(Exception):
    """Something cannot be recorded, or a recording cannot be read; the message says why and what to do."""


class Request(Struct, frozen=True, kw_only=True):
    """What was asked.

    Attributes:
        method: In capitals.
        path: Below the API's base path. For a webhook it is the path of the subscribed URL.
        query: Names and values, decoded, in the order sent.
        headers: By lower-case name, those that belong to the exchange; never credentials.
        body: The JSON sent; unset without any.
        text: What was sent in place of JSON, where the exchange is about that.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: dict[str, str] = {}
    body: Any = UNSET
    text: str | UnsetType = UNSET

    @property
    def content(self) -> bytes:
        """The body as it goes over the wire."""
        return self.text.encode() if self.text is not UNSET else _content(self.body)


class RecordedResponse(Struct, frozen=True, kw_only=True):
    """What was answered.

    Attributes:
        headers: By lower-case name, those that belong to the exchange.
        body: The JSON received; unset without any.
    """

    headers: dict[str, str] = {}
    body: Any = UNSET

    @property
    def content(self) -> bytes:
        """The body as it goes over the wire."""
        return _content(self.body)


class Recording(Struct, frozen=True, kw_only=True):
    """One exchange.

    Attributes:
        operation: The operationId; for a webhook the event's name.
        status: The answer's HTTP status.
        variant: What tells it from other exchanges of the same operation and status; None for the plain one.
        origin: Where the answer comes from.
        request_fault: What in the request breaks the contract on purpose; None if nothing does.
        contract: Digests of the parts of the contract that the exchange rests on, by their names.
    """

    operation: str
    status: int
    variant: str | None = None
    origin: Origin
    request_fault: str | None = None
    contract: dict[str, str]
    request: Request
    response: RecordedResponse

    @property
    def name(self) -> str:
        """The name of its file, without `.json`."""
        return "-".join((self.operation, str(self.status), *([self.variant] if self.variant else [])))


def write(recording: Recording) -> str:
    """Write a recording: the same one always as the same text, keys of bodies in alphabetical order."""
    return json.dumps(_plain(recording), indent=_INDENT, ensure_ascii=False, allow_nan=False) + "\n"


def read(text: str, name: str) -> Recording:
    """Read a recording.

    Args:
        text: What `write` wrote.
        name: The file's name, for the message.

    Raises:
        RecordingError: It is none.
    """
    try:
        return msgspec.json.decode(text, type=Recording)
    except msgspec.DecodeError as error:
        raise RecordingError(f"{name} is no recording: {error}. Make it again: make record.") from error


def _plain(value: object) -> object:
    if isinstance(value, Struct):
        fields = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {name: _plain(field) for name, field in fields if field is not UNSET}
    if isinstance(value, dict):
        members = sorted(cast("dict[str, object]", value).items())
        return {name: _plain(member) for name, member in members}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in cast("list[object]", value)]
    # JSON has one kind of number: a proxy that writes it anew turns 6.0 into 6.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _content(body: object) -> bytes:
    return b"" if body is UNSET else msgspec.json.encode(body)
