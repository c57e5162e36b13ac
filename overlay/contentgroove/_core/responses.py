"""The outcome of sending a request: a response, or a transport failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping


class Response(Struct, frozen=True):
    """An HTTP answer, read whole."""

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
    """There is no answer, or no whole one.

    Attributes:
        kind: `connect`: no connection came about; `timeout`: nothing came in time; `broken`: the connection
            ended early or spoke no HTTP; `too_large`: the answer was larger than any this API gives;
            `source_changed`, `unreadable`: the file being uploaded.
        may_have_arrived: False if it is certain that the service never saw the whole request.
        cause: The exception, for the traceback.
    """

    kind: FailureKind
    may_have_arrived: bool
    cause: Exception
