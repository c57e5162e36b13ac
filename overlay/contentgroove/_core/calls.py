"""One call of the API: what it sends, and what its answer decodes to or fails with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct, structs

from contentgroove.errors import NotFoundError, RequestInfo

from .answers import decode_error, error_from_failure, error_from_reply, is_success
from .decoding import NotAsContractedError
from .effects import Failure, Reply
from .redaction import REDACTED, redact_url
from .retries import Pacing, RetryPolicy, send

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove_api.types import Request

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
        key: Gives the current API key, so that it can be taken out of what a server echoes.
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
    request, pacing = operation.request, session.pacing
    outcome, attempts = yield from send(request, pacing, repeatable=operation.repeatable)
    if isinstance(outcome, Reply) and not is_success(outcome.status_code):
        outcome = without_key(outcome, session.key())
    if isinstance(outcome, Failure):
        info = describe(request, session)
        error = error_from_failure(outcome, info, repeatable=operation.repeatable, attempts=attempts)
        raise error from outcome.cause
    if not is_success(outcome.status_code):
        failed = error_from_reply(
            outcome,
            describe(request, session),
            repeatable=operation.repeatable,
            attempts=attempts,
            now=pacing.clock.time(),
        )
        if not (operation.gone_is_done and attempts > 1 and isinstance(failed, NotFoundError)):
            raise failed
    try:
        return outcome, operation.decode(outcome.content)
    except NotAsContractedError as error:
        raise decode_error(without_key(outcome, session.key()), describe(request, session), str(error)) from error


def without_key(reply: Reply, key: str) -> Reply:
    """Take the key out of an answer that an error will show: a server may echo what it was sent."""
    headers = reply.headers
    if any(key in value for value in headers.values()):
        headers = {name.lower(): value.replace(key, REDACTED) for name, value in headers.items()}
    return Reply(reply.status_code, headers, reply.content.replace(key.encode(), REDACTED.encode()))


def describe(request: Request, session: Session) -> RequestInfo:
    """Name a request as errors show it."""
    query = f"?{request.query}" if request.query else ""
    return RequestInfo(request.method, redact_url(f"{session.base_url}{request.path}{query}"))


def nothing(_content: bytes) -> None:
    """Decode an answer whose body means nothing, such as a 204's."""
