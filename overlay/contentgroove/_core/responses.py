"""Outcomes of requests: a response or a transport failure, the response's headers, and from its bytes to models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import msgspec
from contentgroove_api.types import decoder, protect_stack
from msgspec import Struct

from contentgroove._model_base import JsonSource, Model
from contentgroove.models import Clip, DirectUpload, Media, Page, WebhookSubscription

from .redaction import redact_headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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


FailureKind: TypeAlias = Literal["connect", "timeout", "broken", "too_large", "source_changed", "unreadable"]


class TransportFailure(Struct, frozen=True):
    """There is no response, or no complete one.

    Attributes:
        kind: `connect`: no connection was established; `timeout`: nothing came in time; `broken`: the connection
            ended early or did not speak HTTP; `too_large`: the response was larger than any of this API;
            `source_changed`, `unreadable`: the uploaded file changed or could not be read.
        may_have_arrived: False if it is certain that the service never saw the whole request.
        cause: The exception, for the traceback.
    """

    kind: FailureKind
    may_have_arrived: bool
    cause: Exception


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
        return f"Headers({dict(redact_headers(list(self._values.items())))!r})"


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


def decode_media(content: bytes) -> Media:
    """Decode a document of one media."""
    from contentgroove_api.models.media_document import MediaDocument

    return _resource(Media, MediaDocument, content)


def decode_media_page(content: bytes, number: int) -> Page[Media]:
    """Decode a page of medias."""
    from contentgroove_api.models.media_list import MediaList

    return _page(Media, MediaList, content, number)


def decode_clip(content: bytes) -> Clip:
    """Decode a document of one clip."""
    from contentgroove_api.models.clip_document import ClipDocument

    return _resource(Clip, ClipDocument, content)


def decode_clip_page(content: bytes, number: int) -> Page[Clip]:
    """Decode a page of clips."""
    from contentgroove_api.models.clip_list import ClipList

    return _page(Clip, ClipList, content, number)


def decode_webhook_subscription(content: bytes) -> WebhookSubscription:
    """Decode a document of one webhook subscription."""
    from contentgroove_api.models.webhook_subscription_document import WebhookSubscriptionDocument

    return _resource(WebhookSubscription, WebhookSubscriptionDocument, content)


def decode_webhook_subscription_page(content: bytes, number: int) -> Page[WebhookSubscription]:
    """Decode a page of webhook subscriptions."""
    from contentgroove_api.models.webhook_subscription_list import WebhookSubscriptionList

    return _page(WebhookSubscription, WebhookSubscriptionList, content, number)


def decode_direct_upload(content: bytes) -> DirectUpload:
    """Decode a document of one prepared upload."""
    from contentgroove_api.models.direct_upload_document import DirectUploadDocument

    return _resource(DirectUpload, DirectUploadDocument, content)


def _resource(model: type[M], kind: type[msgspec.Struct], content: bytes) -> M:
    try:
        document: Any = decode(content, kind)
    except BodyMismatchError as error:
        # Imported only for responses that differ from the contract.
        from contentgroove._partial_documents import read_resource
        from contentgroove._partial_structs import UnreadableError

        try:
            return read_resource(model, content, str(error))
        except UnreadableError as unreadable:
            raise BodyMismatchError(str(unreadable)) from error
    return model(document.data, JsonSource(content, _DATA_PATH))


def _page(model: type[M], kind: type[msgspec.Struct], content: bytes, number: int) -> Page[M]:
    try:
        document: Any = decode(content, kind)
    except BodyMismatchError as error:
        from contentgroove._partial_documents import read_page
        from contentgroove._partial_structs import UnreadableError

        try:
            return read_page(model, content, number)
        except UnreadableError as unreadable:
            raise BodyMismatchError(str(unreadable)) from error
    source = JsonSource(content, _DATA_PATH)
    # A list first: a generator expression costs more per item.
    return Page(tuple([model(item, source, i) for i, item in enumerate(document.data)]), number, document.links)
