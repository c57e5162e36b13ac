"""A recorded exchange, and its text format, which people review in diffs."""

from __future__ import annotations

import json
from typing import Any, Literal, TypeAlias, cast

import msgspec
from msgspec import UNSET, Struct, UnsetType

Origin: TypeAlias = Literal["simulator", "spec example", "live"]

_INDENT = 2


class RecordingError(Exception):
    """Something cannot be recorded, or a recording cannot be read; the message states the reason and what to do."""


class Request(Struct, frozen=True, kw_only=True):
    """A recorded request.

    Attributes:
        method: In upper case.
        path: The path below the API's base path; for a webhook the path of the subscribed URL.
        query: Names and values, decoded, in the order sent.
        headers: The relevant headers by lower-case name; never credentials.
        body: The JSON that was sent; unset if there was none.
        text: The text that was sent instead of JSON, if the exchange is about malformed JSON.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: dict[str, str] = {}
    body: Any = UNSET
    text: str | UnsetType = UNSET

    @property
    def content(self) -> bytes:
        """The body as bytes."""
        return self.text.encode() if self.text is not UNSET else _content(self.body)


class RecordedResponse(Struct, frozen=True, kw_only=True):
    """A recorded response.

    Attributes:
        headers: The relevant headers by lower-case name.
        body: The JSON that was received; unset if there was none.
    """

    headers: dict[str, str] = {}
    body: Any = UNSET

    @property
    def content(self) -> bytes:
        """The body as bytes."""
        return _content(self.body)


class Recording(Struct, frozen=True, kw_only=True):
    """One exchange.

    Attributes:
        operation: The operationId; for a webhook the event's name.
        status: The response's HTTP status.
        variant: What distinguishes it from other exchanges with the same operation and status; None for the usual one.
        origin: Where the response comes from.
        request_fault: How the request violates the contract on purpose; None if it does not.
        contract: Digests of the parts of the contract that the exchange depends on, by their names.
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
    """Return a recording as text: equal recordings as equal texts, with the keys of bodies in alphabetical order."""
    return json.dumps(_to_json(recording), indent=_INDENT, ensure_ascii=False, allow_nan=False) + "\n"


def read(text: str, name: str) -> Recording:
    """Return the recording in a text.

    Args:
        text: The text that `write` returned.
        name: The file's name, for the message.

    Raises:
        RecordingError: The text is not a recording.
    """
    try:
        return msgspec.json.decode(text, type=Recording)
    except msgspec.DecodeError as error:
        raise RecordingError(f"{name} is not a recording: {error}. Record it again: make record.") from error


def _to_json(value: object) -> object:
    if isinstance(value, Struct):
        fields = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {name: _to_json(field) for name, field in fields if field is not UNSET}
    if isinstance(value, dict):
        members = sorted(cast("dict[str, object]", value).items())
        return {name: _to_json(member) for name, member in members}
    if isinstance(value, (list, tuple)):
        return [_to_json(item) for item in cast("list[object]", value)]
    # JSON has one kind of number: a proxy that rewrites it turns 6.0 into 6.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _content(body: object) -> bytes:
    return b"" if body is UNSET else msgspec.json.encode(body)
