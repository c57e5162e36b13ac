"""Faults: things that go wrong on purpose, for one operation, a number of times."""

from __future__ import annotations

from collections import Counter
from typing import Literal, TypeAlias, get_args

from msgspec import Struct

Kind: TypeAlias = Literal[
    "latency",
    "status",
    "reset",
    "truncate",
    "stall",
    "expired",
    "lost",
    "late",
    "out_of_order",
    "duplicate",
]

UPLOAD = "upload"
WEBHOOK = "webhook"
API_OPERATIONS = (
    "getMedias",
    "createMedia",
    "getMediaById",
    "updateMediaById",
    "deleteMediaById",
    "getClips",
    "createClip",
    "getClipById",
    "updateClipById",
    "deleteClipById",
    "getWebhookSubscriptions",
    "createWebhookSubscription",
    "getWebhookSubscriptionById",
    "deleteWebhookSubscriptionById",
    "getUploadUrl",
)
_KINDS_OF_API = frozenset({"latency", "status", "reset", "truncate"})
_KINDS_OF_UPLOAD = frozenset({"latency", "status", "reset", "stall", "expired"})
_KINDS_OF_WEBHOOK = frozenset({"lost", "late", "out_of_order", "duplicate"})
_FIRST_STATUS, _LAST_STATUS = 400, 599


class Fault(Struct, frozen=True, kw_only=True):
    """One thing that goes wrong.

    Attributes:
        kind: What happens.
            `latency`: the answer comes after `seconds`.
            `status`: `status` is answered instead; with `after_commit` what was asked for happens all the same.
            `reset`: the connection is reset, an upload's after `after_bytes` of its body; with `after_commit`
            after what was asked for has happened.
            `truncate`: the answer ends after `after_bytes` of its body, the connection with it.
            `stall`: the store takes `after_bytes` and then nothing, until `seconds` are over.
            `expired`: the upload URL counts as expired.
            `lost`: the webhook is never sent. `late`: it is sent after `seconds`. `duplicate`: it is sent twice.
            `out_of_order`: it is sent after the next one of its subscription.
        operation: An operationId of the API, `upload` (a PUT to the file store), `webhook`, or `*` for every
            operation of the API.
        count: How many times.
        seconds: See `kind`.
        status: The status to answer, 400 to 599.
        retry_after: The Retry-After header of that answer: seconds or a date.
        after_bytes: See `kind`.
        after_commit: See `kind`.
        drain: Whether the store reads the whole body before it refuses it; otherwise it answers at once.
    """

    kind: Kind
    operation: str = "*"
    count: int = 1
    seconds: float = 0.0
    status: int = 503
    retry_after: str | None = None
    after_bytes: int = 0
    after_commit: bool = False
    drain: bool = False

    def __post_init__(self) -> None:
        """Check that the fault can happen.

        Raises:
            ValueError: It cannot; the message says why.
        """
        if self.kind not in get_args(Kind):
            raise ValueError(f"A fault's kind is one of {', '.join(get_args(Kind))}, not {self.kind!r}")
        if self.operation == UPLOAD:
            possible = _KINDS_OF_UPLOAD
        elif self.operation == WEBHOOK:
            possible = _KINDS_OF_WEBHOOK
        elif self.operation == "*" or self.operation in API_OPERATIONS:
            possible = _KINDS_OF_API
        else:
            known = ", ".join(("*", *API_OPERATIONS, UPLOAD, WEBHOOK))
            raise ValueError(f"A fault's operation is one of {known}, not {self.operation!r}")
        if self.kind not in possible:
            raise ValueError(f"{self.operation} has no fault {self.kind}, only {', '.join(sorted(possible))}")
        if self.count < 1 or self.seconds < 0 or self.after_bytes < 0:
            raise ValueError("count is at least 1; seconds and after_bytes are at least 0")
        if not _FIRST_STATUS <= self.status <= _LAST_STATUS:
            raise ValueError(f"A fault answers a status from 400 to 599, not {self.status}")


class Faults:
    """The faults that are waiting to happen, in the order they were added.

    Attributes:
        happened: How often each kind has happened, by the operation it happened to.
    """

    def __init__(self) -> None:
        self.happened: Counter[tuple[Kind, str]] = Counter()
        self._waiting: list[tuple[Fault, int]] = []

    def add(self, fault: Fault) -> None:
        """Let a fault happen to the next requests it fits."""
        self._waiting.append((fault, fault.count))

    def clear(self) -> None:
        """Call all faults off."""
        self._waiting.clear()

    def take(self, operation: str) -> Fault | None:
        """Give the fault that happens to a request now, and count it."""
        for index, (fault, left) in enumerate(self._waiting):
            everywhere = fault.operation == "*" and operation in API_OPERATIONS
            if fault.operation != operation and not everywhere:
                continue
            if left == 1:
                del self._waiting[index]
            else:
                self._waiting[index] = (fault, left - 1)
            self.happened[fault.kind, operation] += 1
            return fault
        return None
