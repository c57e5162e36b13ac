"""One call of the API: what it sends, and what its answer decodes to or fails with."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct, structs

from contentgroove.errors import RequestInfo

from .decoding import NotAsContractedError
from .effects import Failure, Reply
from .headers import Headers
from .redaction import REDACTED, redact_url, spellings
from .retries import Pacing, RetryPolicy, send

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove_api.types import Request

    from contentgroove.errors import ContentGrooveError, ResponseDecodeError

    from .effects import Flow

T = TypeVar("T")


class Operation(Struct, Generic[T], frozen=True):
    """One call of the API.

    Attributes:
        request: What to send.
        decode: Makes the result of a success's body.
        repeatable: Whether the request does no more when it arrives twice than when it arrives once.
        gone_is_done: Whether "not found" on a repeated attempt means that an earlier one succeeded.
    """

    request: Request
    decode: Callable[[bytes], T]
    repeatable: bool = True
    gone_is_done: bool = False


class Session(Struct, frozen=True):
    """What calls of one client share.

    Attributes:
        pacing: Retry policy, cool-down, clock and chance.
        base_url: For messages; where requests go is the shells' affair.
        key: Gives the API key that was last sent, so that it can be taken out of what a server echoes.
    """

    pacing: Pacing
    base_url: str
    key: Callable[[], str]

    def with_policy(self, policy: RetryPolicy) -> Session:
        """Give the session with another retry policy; cool-down and clock are shared."""
        return structs.replace(self, pacing=structs.replace(self.pacing, policy=policy))


def call(operation: Operation[T], session: Session) -> Flow[tuple[Reply, T]]:
    """Send an operation with retries and decode its answer.

    Raises:
        ContentGrooveError: As the answer or its absence demands.
    """
    outcome, attempts = yield from send(operation.request, session.pacing, repeatable=operation.repeatable)
    if isinstance(outcome, Failure) or not outcome.is_success:
        gone = isinstance(outcome, Reply) and outcome.status_code == HTTPStatus.NOT_FOUND
        if isinstance(outcome, Failure) or not (gone and operation.gone_is_done and attempts > 1):
            raise _error(operation, outcome, attempts, session)
    try:
        return outcome, operation.decode(outcome.content)
    except NotAsContractedError as error:
        raise unreadable(operation, outcome, session, error) from error


def _error(operation: Operation[Any], outcome: Reply | Failure, attempts: int, session: Session) -> ContentGrooveError:
    # Imported when something fails: a program that all goes well for does without.
    from .answers import error_from_failure, error_from_reply

    info, repeatable = describe(operation.request, session), operation.repeatable
    if isinstance(outcome, Failure):
        error = error_from_failure(outcome, info, repeatable=repeatable, attempts=attempts)
        error.__cause__ = outcome.cause
        return error
    shown, now = without_key(outcome, session.key()), session.pacing.clock.time()
    return error_from_reply(shown, info, repeatable=repeatable, attempts=attempts, now=now)


def unreadable(
    operation: Operation[Any], reply: Reply, session: Session, error: NotAsContractedError
) -> ResponseDecodeError:
    """Make the error of a success whose body does not fit the contract."""
    from .answers import decode_error

    return decode_error(without_key(reply, session.key()), describe(operation.request, session), str(error))


def without_key(reply: Reply, key: str) -> Reply:
    """Take the key out of an answer that an error will show: a server may echo what it was sent."""
    echo = spellings(key)
    headers = Headers((name.encode(), re.sub(echo, REDACTED, text).encode()) for name, text in reply.headers.items())
    return Reply(reply.status_code, headers, re.sub(echo.encode(), REDACTED.encode(), reply.content))


def describe(request: Request, session: Session) -> RequestInfo:
    """Name a request as errors show it."""
    query = f"?{request.query}" if request.query else ""
    return RequestInfo(request.method, redact_url(f"{session.base_url}{request.path}{query}"))


def nothing(_content: bytes) -> None:
    """Decode an answer whose body means nothing, such as a 204's."""
