"""Outcomes of requests: a response or a transport failure, the response's headers, and from its bytes to models."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import msgspec
from contentgroove_api.types import decoder, protect_stack
from msgspec import Struct

from contentgroove._models.base import JsonSource, Model
from contentgroove.models import Page

from .redaction import redact_echo, redact_echo_bytes, redact_header_value, redact_headers, redact_text
from .tracebacks import with_safe_repr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .secret import Secret

M = TypeVar("M", bound=Model[Any])
S = TypeVar("S", bound=msgspec.Struct)

_DATA_PATH = ("data",)
"""The path of a document's resource."""


class Response(Struct, frozen=True):
    """An HTTP response, read completely."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is one of the 2xx."""
        return 200 <= self.status_code < 300  # noqa: PLR2004 - HTTP's own classes (RFC 9110, 15)

    def __repr__(self) -> str:
        return f"Response(status_code={self.status_code}, bytes={len(self.content)})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        # That of msgspec shows all fields.
        return [("status_code", self.status_code), ("bytes", len(self.content))]


FailureKind: TypeAlias = Literal["connect", "timeout", "broken", "closed", "too_large", "source_changed", "unreadable"]


class TransportFailure(Struct, frozen=True):
    """There is no response, or no complete one.

    Attributes:
        kind: `connect`: no connection was established; `timeout`: nothing came in time; `broken`: the connection
            ended early or did not speak HTTP; `closed`: the client was closed meanwhile; `too_large`: the response was
            larger than any of this API;
            `source_changed`, `unreadable`: the uploaded file changed or could not be read.
        may_have_arrived: False if it is certain that the service never saw the whole request.
        cause: The exception, for the traceback.
    """

    kind: FailureKind
    may_have_arrived: bool
    cause: Exception

    def __repr__(self) -> str:
        # The message may contain the request's URL.
        return f"TransportFailure({self.kind}, {type(self.cause).__name__})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("kind", self.kind), ("cause", type(self.cause))]

    def reason(self, secrets: Iterable[Secret] = ()) -> str:
        """Return the cause's message, or its type if it has none, without credentials."""
        return redact_echo(redact_text(str(self.cause)[:MAX_REASON]), secrets) or type(self.cause).__name__

    def cause_without(self, secrets: Sequence[Secret] = ()) -> Exception | None:
        """Return the cause to chain an error to; None if its message, or that of its own causes, has credentials."""
        error: BaseException | None = self.cause
        for _ in range(MAX_CAUSES):
            if error is None:
                return self.cause
            shown = f"{error} {error!r}"
            if redact_echo(redact_text(shown), secrets) != shown:
                break
            error = error.__cause__ or error.__context__
        return None


MAX_REASON = 1000
"""Characters of an exception's message that an error repeats."""

MAX_CAUSES = 20
"""Causes that are checked; a longer chain is not kept."""


@with_safe_repr
class Headers(Mapping[str, str]):
    """Headers by name, in any case; repeated ones are joined with commas (RFC 9110, 5.3)."""

    def __init__(self, fields: Iterable[tuple[bytes, bytes]]) -> None:
        self._values: dict[str, str] = {}
        for name, value in fields:
            key, text = _decode_header(name).lower(), _decode_header(value)
            self._values[key] = f"{self._values[key]}, {text}" if key in self._values else text

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({dict(redact_headers(self._values.items()))!r})"

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross processes and queues, whose stores would contain cookies and tokens.
        return Headers, ([(name.encode(), value.encode()) for name, value in redact_headers(self._values.items())],)


def redact_response(response: Response, keys: Sequence[Secret]) -> Response:
    """Return a response for an error: without the keys, which a server may echo, and without signed URLs in headers.

    The body is redacted where it is cut to an excerpt.
    """
    headers = Headers(
        (name.encode(), redact_echo(redact_header_value(name, value), keys).encode())
        for name, value in response.headers.items()
    )
    return Response(response.status_code, headers, redact_echo_bytes(response.content, keys))


def _decode_header(field: bytes) -> str:
    try:
        return field.decode()
    except UnicodeDecodeError:
        # The historical encoding of header fields (RFC 9110, 5.5), which can decode every byte.
        return field.decode("latin-1")


class BodyMismatchError(ValueError):
    """A body is not JSON, or lacks what is needed to read anything of it."""


def decode(content: bytes, kind: type[S]) -> S:
    """Decode a body; the message of a `BodyMismatchError` names the location."""
    try:
        protect_stack(content)
        return decoder(kind).decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BodyMismatchError(str(error) or "it is empty") from error


def decode_resource(model: type[M]) -> Callable[[bytes], M]:
    """Return what decodes a document of one resource, whose generated struct is named like the model."""
    # The models' own reader.
    struct = model._struct("Document")  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return functools.partial(_resource, model, struct)


def decode_page(model: type[M]) -> Callable[[bytes, int], Page[M]]:
    """Return what decodes a page of resources, with the page's number."""
    struct = model._struct("List")  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return functools.partial(_page, model, struct)


def _resource(model: type[M], kind: type[msgspec.Struct], content: bytes) -> M:
    try:
        document: Any = decode(content, kind)
    except BodyMismatchError as error:
        # Imported only for responses that differ from the contract.
        from contentgroove._models.partial_documents import read_resource
        from contentgroove._models.partial_structs import UnreadableError

        try:
            return read_resource(model, content, str(error))
        except UnreadableError as unreadable:
            raise BodyMismatchError(str(unreadable)) from error.__cause__
    return model(document.data, JsonSource(content, _DATA_PATH))


def _page(model: type[M], kind: type[msgspec.Struct], content: bytes, number: int) -> Page[M]:
    try:
        document: Any = decode(content, kind)
    except BodyMismatchError as error:
        from contentgroove._models.partial_documents import read_page
        from contentgroove._models.partial_structs import UnreadableError

        try:
            return read_page(model, content, number)
        except UnreadableError as unreadable:
            raise BodyMismatchError(str(unreadable)) from error.__cause__
    source = JsonSource(content, _DATA_PATH)
    # A list first: a generator expression costs more per item.
    return Page(tuple([model(item, source, i) for i, item in enumerate(document.data)]), number, document.links)
