"""The checks of `contentgroove doctor`, and their exit code."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from .failures import ExitCode

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from contentgroove.errors import ContractViolation

    from .failures import ErrorReport

State: TypeAlias = Literal["ok", "warning", "failed", "skipped"]

RESOURCES = ("medias", "clips", "webhook_subscriptions")
"""Resources with a GET that changes nothing. The GET of a direct upload creates one."""

CLOCK_TOLERANCE = 60.0
"""Seconds; presigned URLs and the times of events tolerate that much."""


class Check(Struct, frozen=True, kw_only=True):
    """The result of one check.

    Attributes:
        name: The subject, such as `key` or `medias`.
        message: What was found.
        details: Further findings, one on each line.
        hint: What to do; empty if there is nothing to do.
        exit: The exit code if it failed.
    """

    name: str
    state: State
    message: str
    details: tuple[str, ...] = ()
    hint: str = ""
    exit: ExitCode = ExitCode.OK


def failed(name: str, failure: ErrorReport) -> Check:
    """Return a failed check."""
    return Check(name=name, state="failed", message=failure.message, hint=failure.hint, exit=failure.exit)


def failed_check_name(failure: ErrorReport, resource: str) -> str:
    """Return the check that a failed request belongs to: the key, the connection or the resource."""
    return {ExitCode.AUTH: "key", ExitCode.NETWORK: "connection"}.get(failure.exit, resource)


def clock(date: str | None, now: dt.datetime) -> Check:
    """Compare this machine's clock with the service's.

    Args:
        date: The response's Date header (RFC 9110, 6.6.1).
        now: This machine's time, aware.
    """
    try:
        served = None if date is None else parsedate_to_datetime(date)
    except ValueError:
        served = None
    if served is None or served.tzinfo is None:
        return Check(name="clock", state="skipped", message="The response has no Date header to compare with.")
    ahead = (now - served).total_seconds()
    direction = "ahead of" if ahead > 0 else "behind"
    if abs(ahead) <= CLOCK_TOLERANCE:
        return Check(name="clock", state="ok", message=f"Within {CLOCK_TOLERANCE:g} s of the service's.")
    return Check(
        name="clock",
        state="warning",
        message=f"This machine's clock is {abs(ahead):,.0f} s {direction} the service's.",
        hint="Synchronise the clock, for example by NTP: signed URLs and time limits depend on it.",
    )


def resource(name: str, status: int, seconds: float, violations: Sequence[ContractViolation]) -> Check:
    """Judge the response to a request for a resource's list.

    Args:
        name: The resource.
        status: The response's status.
        seconds: The duration of the request.
        violations: Where it deviates from the API's document.
    """
    result = f"{status} in {seconds * 1000:.0f} ms"
    if not violations:
        return Check(name=name, state="ok", message=f"{result}; as documented.")
    count = f"{len(violations)} differences" if len(violations) > 1 else "1 difference"
    return Check(
        name=name,
        state="warning",
        message=f"{result}; {count} from the API's document.",
        details=tuple(" ".join(str(violation).split()) for violation in violations),
        hint="Calls still work. See what changed with `contentgroove spec diff`.",
    )


def exit_code(checks: Sequence[Check], *, strict: bool) -> ExitCode:
    """Return the exit code of the first failed check; with `strict`, a warning fails, too."""
    for check in checks:
        if check.state == "failed":
            return check.exit
    return ExitCode.FAILED if strict and any(check.state == "warning" for check in checks) else ExitCode.OK
