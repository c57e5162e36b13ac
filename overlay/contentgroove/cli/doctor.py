"""`contentgroove doctor`: checks of the setup, and of the service against the API's document."""

from __future__ import annotations

import datetime as dt
import platform
import sys
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from contentgroove._version import __version__
from contentgroove.errors import ConfigurationError, ContentGrooveError

from .command import CommandContext, command
from .exit_codes import CommandError, ErrorReport, ExitCode, describe_error
from .output import is_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contentgroove import ContentGroove
    from contentgroove.errors import ContractViolation

RESOURCES = ("medias", "clips", "webhook_subscriptions")
"""Resources with a GET that changes nothing. The GET of a direct upload creates one."""

CLOCK_TOLERANCE = 60.0
"""Seconds; presigned URLs and the times of events tolerate that much."""


class Check(NamedTuple):
    """The result of one check; `exit` is the exit code if it failed."""

    name: str
    state: Literal["ok", "warning", "failed", "skipped"]
    message: str
    details: tuple[str, ...] = ()
    hint: str = ""
    exit: ExitCode = ExitCode.OK


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    examples = ("doctor", "doctor --base-url http://127.0.0.1:8080/api/v1", "doctor --strict --json")
    command(app, "doctor", examples=examples)(doctor)


def doctor(
    run: CommandContext, *, strict: Annotated[bool, typer.Option("--strict", help="Also fail on warnings.")] = False
) -> None:
    """Check the API key, the connection, the clock and the service.

    Fetches one list of each resource, with one item, and compares the responses with the API's document. Nothing is
    created or changed.
    """
    checks = run_checks(run)
    code = exit_code(checks, strict=strict)
    if run.out.json:
        documents = [{key: value for key, value in check._asdict().items() if key != "exit"} for check in checks]
        run.out.document({"ok": code == ExitCode.OK, "checks": documents})
    else:
        # In a terminal, the cells of all lines are aligned.
        widths = (7, 21, 0) if is_terminal(sys.stdout) else (0, 0, 0)
        for check in checks:
            details = [("", "", line) for line in (*check.details, check.hint) if line]
            for cells in ((check.state, check.name, check.message), *details):
                run.out.line({}, [f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)])
    if code:
        raise typer.Exit(code)


def run_checks(run: CommandContext) -> list[Check]:
    """Run all checks that are possible."""
    version = f"contentgroove {__version__} on {platform.python_implementation()} {platform.python_version()}."
    checks = [Check("version", "ok", version)]
    violations: list[ContractViolation] = []
    try:
        client, contract = _create_client(run, violations)
    except (CommandError, ConfigurationError) as error:
        return [*checks, _failed_check("key", describe_error(error))]
    with client:
        checks += [Check("key", "ok", "It is set; it is not shown."), contract]
        for name in RESOURCES:
            violations.clear()
            started = time.monotonic()
            try:
                response = client.request("GET", f"/{name}", query={"page": {"size": 1}})
            except ContentGrooveError as error:
                failure = describe_error(error)
                subject = {ExitCode.AUTH: "key", ExitCode.NETWORK: "connection"}.get(failure.exit, name)
                checks.append(_failed_check(subject, failure))
                if subject != name:
                    # The next resource would fail in the same way.
                    break
                continue
            seconds = time.monotonic() - started
            if not any(check.name == "clock" for check in checks):
                checks.append(check_clock(response.headers.get("date"), dt.datetime.now(dt.UTC)))
            checks.append(_check_resource(name, response.status_code, seconds, violations))
    return checks


def check_clock(date: str | None, now: dt.datetime) -> Check:
    """Compare this machine's time with the response's Date header (RFC 9110, 6.6.1)."""
    try:
        served = None if date is None else parsedate_to_datetime(date)
    except ValueError:
        served = None
    if served is None or served.tzinfo is None:
        return Check("clock", "skipped", "The response has no Date header to compare with.")
    ahead = (now - served).total_seconds()
    if abs(ahead) <= CLOCK_TOLERANCE:
        return Check("clock", "ok", f"Within {CLOCK_TOLERANCE:g} s of the service's.")
    message = f"This machine's clock is {abs(ahead):,.0f} s {'ahead of' if ahead > 0 else 'behind'} the service's."
    hint = "Synchronise the clock, for example by NTP: signed URLs and time limits depend on it."
    return Check("clock", "warning", message, hint=hint)


def exit_code(checks: Sequence[Check], *, strict: bool) -> ExitCode:
    """Return the exit code of the first failed check; with `strict`, a warning fails, too."""
    for check in checks:
        if check.state == "failed":
            return check.exit
    return ExitCode.FAILED if strict and any(check.state == "warning" for check in checks) else ExitCode.OK


def _create_client(run: CommandContext, violations: list[ContractViolation]) -> tuple[ContentGroove, Check]:
    try:
        client = run.new_client(on_contract_violation=violations.extend)
    except ConfigurationError as error:
        if "on_contract_violation" not in error.message:
            raise
        hint = error.message.partition(": ")[2]
        return run.new_client(), Check("contract", "skipped", "Responses are not checked.", hint=hint)
    return client, Check("contract", "ok", "Responses are checked, field by field.")


def _failed_check(name: str, failure: ErrorReport) -> Check:
    return Check(name, "failed", failure.message, hint=failure.hint, exit=failure.exit)


def _check_resource(name: str, status: int, seconds: float, violations: Sequence[ContractViolation]) -> Check:
    result = f"{status} in {seconds * 1000:.0f} ms"
    if not violations:
        return Check(name, "ok", f"{result}; as documented.")
    count = f"{len(violations)} differences" if len(violations) > 1 else "1 difference"
    details = tuple(" ".join(str(violation).split()) for violation in violations)
    hint = "Calls still work. See what changed with `contentgroove spec diff`."
    return Check(name, "warning", f"{result}; {count} from the API's document.", details, hint)
