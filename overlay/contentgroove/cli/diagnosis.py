"""What `contentgroove doctor` looks at, and how it judges what it finds."""

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
"""Those with a GET that changes nothing; preparing an upload is a GET, too, and makes one."""

CLOCK_TOLERANCE = 60.0
"""Seconds; presigned URLs and the times in events bear that much."""


class Check(Struct, frozen=True, kw_only=True):
    """One thing that was looked at.

    Attributes:
        name: Such as `key` or `medias`.
        message: What was found.
        details: More of it, one thing a line.
        hint: What to do about it; empty if there is nothing.
        exit: The exit code that it asks for.
    """

    name: str
    state: State
    message: str
    details: tuple[str, ...] = ()
    hint: str = ""
    exit: ExitCode = ExitCode.OK


def failed(name: str, failure: ErrorReport) -> Check:
    """Judge something that went wrong."""
    return Check(name=name, state="failed", message=failure.message, hint=failure.hint, exit=failure.exit)


def failed_check_name(failure: ErrorReport, resource: str) -> str:
    """Name what a failed call tells about: the key, the connection, or just the resource."""
    return {ExitCode.AUTH: "key", ExitCode.NETWORK: "connection"}.get(failure.exit, resource)


def clock(date: str | None, now: dt.datetime) -> Check:
    """Compare this machine's clock with the service's.

    Args:
        date: The Date header of an answer (RFC 9110, section 6.6.1).
        now: This machine's time, aware.
    """
    try:
        served = None if date is None else parsedate_to_datetime(date)
    except ValueError:
        served = None
    if served is None or served.tzinfo is None:
        return Check(name="clock", state="skipped", message="The service's answer has no Date to compare with.")
    ahead = (now - served).total_seconds()
    direction = "ahead of" if ahead > 0 else "behind"
    if abs(ahead) <= CLOCK_TOLERANCE:
        return Check(name="clock", state="ok", message=f"Within {CLOCK_TOLERANCE:g} s of the service's.")
    return Check(
        name="clock",
        state="warning",
        message=f"This machine's clock is {abs(ahead):,.0f} s {direction} the service's.",
        hint="Set it, best by NTP: signed URLs and waits go by the time.",
    )


def resource(name: str, status: int, seconds: float, violations: Sequence[ContractViolation]) -> Check:
    """Judge the answer of a resource's list.

    Args:
        name: The resource.
        status: The answer's status.
        seconds: How long it took.
        violations: Where it is not what the API's document says.
    """
    answered = f"{status} in {seconds * 1000:.0f} ms"
    if not violations:
        return Check(name=name, state="ok", message=f"{answered}; as documented.")
    count = f"{len(violations)} differences" if len(violations) > 1 else "1 difference"
    return Check(
        name=name,
        state="warning",
        message=f"{answered}; {count} from the API's document.",
        details=tuple(" ".join(str(violation).split()) for violation in violations),
        hint="Calls go on; see what changed with `contentgroove spec diff`.",
    )


def exit_code(checks: Sequence[Check], *, strict: bool) -> ExitCode:
    """Give the exit code of a diagnosis: that of the first failure; with `strict`, warnings fail, too."""
    for check in checks:
        if check.state == "failed":
            return check.exit
    return ExitCode.FAILED if strict and any(check.state == "warning" for check in checks) else ExitCode.OK
