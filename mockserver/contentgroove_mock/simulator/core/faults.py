"""Faults: what goes wrong on purpose, for one operation, a number of times."""

from __future__ import annotations

import copy
import math
import re
from collections import Counter
from typing import Literal, TypeAlias, get_args, get_type_hints

import msgspec
from msgspec import Struct

from contentgroove_mock.simulator.core.store_errors import StoreKind, is_redirect, known_codes, status_of

Kind: TypeAlias = Literal[
    "latency", "status", "reset", "truncate", "stall", "expired", "lost", "late", "out_of_order", "duplicate"
]

UPLOAD = "upload"
WEBHOOK = "webhook"
API_OPERATIONS = {
    "/medias": {"GET": "getMedias", "POST": "createMedia"},
    "/medias/{id}": {"GET": "getMediaById", "PUT": "updateMediaById", "DELETE": "deleteMediaById"},
    "/clips": {"GET": "getClips", "POST": "createClip"},
    "/clips/{id}": {"GET": "getClipById", "PUT": "updateClipById", "DELETE": "deleteClipById"},
    "/webhook_subscriptions": {"GET": "getWebhookSubscriptions", "POST": "createWebhookSubscription"},
    "/webhook_subscriptions/{id}": {"GET": "getWebhookSubscriptionById", "DELETE": "deleteWebhookSubscriptionById"},
    "/direct_uploads": {"GET": "getUploadUrl"},
}
"""The operationIds of the API, by path and method."""

_API_NAMES = [name for methods in API_OPERATIONS.values() for name in methods.values()]
_KINDS = {
    **{name: {"latency", "status", "reset", "truncate"} for name in ("*", *_API_NAMES)},
    UPLOAD: {"latency", "status", "reset", "stall", "expired"},
    WEBHOOK: {"lost", "late", "out_of_order", "duplicate"},
}
OPERATIONS = tuple(_KINDS)
"""What faults can happen to."""
_WITHOUT_ID = {name for path, methods in API_OPERATIONS.items() if "{id}" not in path for name in methods.values()}
_MIN_STATUS, _MAX_STATUS = 400, 599
_DEFAULT_STATUS = 503
_HEADER_TEXT = re.compile(r"[\x20-\x7e]{0,200}")
_LOCATION = re.compile(r"https?://[\x21-\x7e]+")


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that goes wrong.

    Attributes:
        kind: What happens.
            `latency`: the response is sent after `seconds`.
            `status`: the response has the status `status`; with `after_commit` the operation is still performed. For
            an upload, `code` chooses an error response of the store `store` instead, its status included.
            `reset`: the connection is reset, an upload's after `after_bytes` of its body; with `after_commit`
            after the operation was performed.
            `truncate`: the response ends after `after_bytes` of its body, and the connection is closed.
            `stall`: the store reads `after_bytes` and then nothing until `seconds` have passed.
            `expired`: the upload URL counts as expired.
            `lost`: the webhook is never sent. `late`: it is sent after `seconds`. `duplicate`: it is sent twice.
            `out_of_order`: it is sent after the next one of its subscription.
        operation: An operationId of the API, `upload` (a PUT to the file store), `webhook`, or `*` for every
            operation of the API.
        id: Only for this one: the id in the path of the request, the upload's id in its URL, or the media's id in the
            webhook. By default for all.
        count: How many times.
        seconds: See `kind`.
        status: The status of the response, 400 to 599; by default 503, or the status of `code`.
        retry_after: The Retry-After header of that response: seconds, a date, or what a wrong server might send.
        body: The body of that response of the API; by default a JSON object with an error.
        content_type: The media type of `body`, such as `text/html` for the page of a proxy.
        code: An error code of the store, such as `SlowDown`, `RequestTimeout` or `TemporaryRedirect`.
        store: The store whose code and whose form of a response it is: `s3`, `google` or `azure`.
        location: Where the redirect of a code leads; by default to the same upload at another name of this machine.
        after_bytes: See `kind`.
        after_commit: See `kind`.
        drain: Whether the store reads the whole body before it rejects the upload; by default it responds at once.
    """

    kind: Kind
    operation: str = "*"
    id: str | None = None
    count: int = 1
    seconds: float = 0.0
    status: int | None = None
    retry_after: str | None = None
    body: str | None = None
    content_type: str = "application/json"
    code: str | None = None
    store: StoreKind = "s3"
    location: str | None = None
    after_bytes: int = 0
    after_commit: bool = False
    drain: bool = False

    def __post_init__(self) -> None:
        """Check that the fault can happen.

        Raises:
            ValueError: It cannot happen; the message says why.
        """
        for name, expected in get_type_hints(Fault).items():
            if name not in {"kind", "store"}:
                _check_type(name, getattr(self, name), expected)
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind must be one of {', '.join(get_args(Kind))}, not {self.kind!r}")
        if self.operation not in _KINDS:
            raise ValueError(f"operation must be one of {', '.join(_KINDS)}, not {self.operation!r}")
        if self.kind not in _KINDS[self.operation]:
            possible = ", ".join(sorted(_KINDS[self.operation]))
            raise ValueError(f"The kind of a fault of {self.operation} must be one of {possible}, not {self.kind}")
        if self.count < 1 or self.after_bytes < 0 or not 0 <= self.seconds < math.inf:
            raise ValueError("count must be at least 1, seconds and after_bytes at least 0, and none of them infinite")
        if self.id is not None and self.operation in _WITHOUT_ID:
            raise ValueError(f"id needs an operation whose requests have one in their path, not {self.operation}")
        if self.body is not None and (self.kind != "status" or self.operation == UPLOAD):
            raise ValueError("body needs the kind status and an operation of the API")
        if self.status is not None and not _MIN_STATUS <= self.status <= _MAX_STATUS:
            raise ValueError(f"status must be from 400 to 599, not {self.status}")
        if self.retry_after is not None and not _HEADER_TEXT.fullmatch(self.retry_after):
            raise ValueError(f"retry_after must be the text of a header, not {self.retry_after!r}")
        if not _HEADER_TEXT.fullmatch(self.content_type):
            raise ValueError(f"content_type must be the text of a header, not {self.content_type!r}")
        self._check_code()

    def _check_code(self) -> None:
        if self.store not in get_args(StoreKind):
            raise ValueError(f"store must be one of {', '.join(get_args(StoreKind))}, not {self.store!r}")
        if self.code is None:
            if self.location is not None:
                raise ValueError("location needs a code that redirects: TemporaryRedirect or PermanentRedirect")
            return
        if self.kind != "status" or self.operation != UPLOAD:
            raise ValueError(f"code needs the kind status and the operation {UPLOAD}")
        if self.code not in known_codes(self.store):
            codes = ", ".join(known_codes(self.store))
            raise ValueError(f"code must be one of {codes} for the store {self.store}, not {self.code!r}")
        redirects = is_redirect(self.store, self.code)
        if redirects and self.status is not None:
            raise ValueError(f"{self.code} has its own status: pass no other")
        if self.location is not None and not (redirects and _LOCATION.fullmatch(self.location)):
            raise ValueError("location must be an http or https URL, of a code that redirects")

    @property
    def response_status(self) -> int:
        """The status of the response."""
        if self.status is not None:
            return self.status
        return _DEFAULT_STATUS if self.code is None else status_of(self.store, self.code)


def _check_type(name: str, value: object, expected: object) -> None:
    # A Struct that is made in Python checks no types; the decoder of JSON does.
    try:
        msgspec.convert(value, expected)
    except msgspec.ValidationError as error:
        problem = str(error)[:1].lower() + str(error)[1:]
        raise ValueError(f"{name} has the wrong type, {value!r}: {problem}") from None


class WaitingFault(Struct, kw_only=True):
    """A fault that has not happened as often as it shall.

    Attributes:
        id: Its id in this simulator.
        remaining: How many times it still happens.
    """

    id: str
    fault: Fault
    remaining: int


class Faults:
    """The faults that have not happened yet, in the order they were added.

    Attributes:
        happened: How often each kind has happened, by operation.
        waiting: The faults that have not happened, by id.
    """

    def __init__(self) -> None:
        self.happened: Counter[tuple[Kind, str]] = Counter()
        self.waiting: dict[str, WaitingFault] = {}
        self._last_id = 0

    def add(self, fault: Fault) -> WaitingFault:
        """Add a fault for the next requests that it fits."""
        self._last_id += 1
        added = WaitingFault(id=str(self._last_id), fault=fault, remaining=fault.count)
        self.waiting[added.id] = added
        return added

    def clear(self) -> None:
        """Remove all faults."""
        self.waiting.clear()

    def restore(self, waiting: list[WaitingFault]) -> None:
        """Replace the faults that have not happened."""
        self.waiting = {item.id: copy.copy(item) for item in waiting}
        self._last_id = max([self._last_id, *(int(item.id) for item in waiting if item.id.isdecimal())])

    def take(self, operation: str, identifier: str) -> Fault | None:
        """Return the fault that happens to a request now, if any, and count it.

        Args:
            operation: What the request does.
            identifier: The id in its path, or of a webhook's media; empty if there is none.
        """
        for waiting in self.waiting.values():
            fault = waiting.fault
            if fault.operation != operation and not (fault.operation == "*" and operation in _API_NAMES):
                continue
            if fault.id is not None and fault.id != identifier:
                continue
            waiting.remaining -= 1
            if waiting.remaining == 0:
                del self.waiting[waiting.id]
            self.happened[fault.kind, operation] += 1
            return fault
        return None
