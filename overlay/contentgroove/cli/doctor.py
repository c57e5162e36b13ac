"""`contentgroove doctor`: checks of the setup, and of the service against the API's document."""

from __future__ import annotations

import datetime as dt
import platform
import sys
import textwrap
import time
from email.utils import parsedate_to_datetime
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, cast

import typer

from contentgroove._version import __version__
from contentgroove.errors import ConfigurationError, ContentGrooveError

from .command import KEY_FILE_VARIABLE, CommandContext, command
from .exit_codes import CommandError, ErrorReport, ExitCode, describe_error
from .options import TOKEN_VARIABLE, YesOption
from .output import is_terminal
from .suggestions import misspelt_variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contentgroove import ContentGroove
    from contentgroove.errors import ContractViolation

RESOURCES = ("medias", "clips", "webhook_subscriptions")
"""Resources with a GET that changes nothing. The GET of a direct upload creates one."""

_NOT_REQUESTED = (
    "Single items, further pages, filters, everything that creates, changes or deletes, uploads and webhooks were not "
    "requested. --verify checks more."
)

_MEDIA_SECONDS = 180.0

_MIN_WIDTH = 20
_STATE_WIDTH = 7
_NAME_WIDTH = 21
_MIN_TABLE_WIDTH = 64
"""In terminals with fewer columns, messages are below the names of checks."""

CLOCK_TOLERANCE = 60.0
"""Seconds; presigned URLs and the times of events tolerate that much."""


_SUBJECTS = {ExitCode.AUTH: "key", ExitCode.NETWORK: "connection", ExitCode.USAGE: "connection"}
"""What fails with these exit codes, for all resources alike."""


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
    examples = (
        "doctor",
        "doctor --strict --json",
        "doctor --verify",
        "doctor --verify --writes --report report.json",
        "doctor --verify --only filter-blank-dropped --only page-default-size",
    )
    command(app, "doctor", examples=examples)(doctor)


_VERIFY = "Check what this package assumes about the service, by reading only."
_WRITES = "With --verify: create a media and more, check what that shows, and delete it."
_ONLY = "With --verify: check this assumption only; can be repeated."
_FILE = "With --writes: upload this file of a few seconds, best with speech, instead of the sample."
_CALLBACK_URL = "With --writes: subscribe this URL, and check the webhooks that arrive."
_CALLBACK_PORT = "With --callback-url: the port of this machine that the URL leads to."


def doctor(
    run: CommandContext,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Also fail on warnings.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help=_VERIFY)] = False,
    writes: Annotated[bool, typer.Option("--writes", help=_WRITES)] = False,
    yes: YesOption = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="With --verify: write the verdicts as JSON.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option("--only", metavar="ID", help=_ONLY)] = None,
    file: Annotated[Path | None, typer.Option("--file", metavar="FILE", help=_FILE)] = None,
    callback_url: Annotated[str | None, typer.Option("--callback-url", metavar="URL", help=_CALLBACK_URL)] = None,
    callback_port: Annotated[
        int | None, typer.Option("--callback-port", metavar="PORT", min=1, max=65535, help=_CALLBACK_PORT)
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout", metavar="SECONDS", min=1, help="With --writes: wait that long for each media, by default 180."
        ),
    ] = None,
) -> None:
    """Check the API key, the connection, the clock and the service.

    Fetches one list of each resource, with one item, and compares the responses with the API's document. Nothing is
    created or changed.

    --verify checks instead what this package assumes about the service: each assumption is confirmed, refuted or not
    tried. The exit code is 1 if one is refuted, 14 if something that was created could not be deleted.
    """
    if verify:
        from .verification import VerifyOptions, verify_service

        verify_service(
            run,
            VerifyOptions(
                writes=writes,
                yes=yes,
                report=report,
                only=only or (),
                file=file,
                callback_url=callback_url,
                callback_port=callback_port,
                timeout=_MEDIA_SECONDS if timeout is None else timeout,
            ),
        )
        return
    given: dict[str, object] = {"--writes": writes, "--yes": yes, "--report": report, "--only": only, "--file": file}
    given |= {"--callback-url": callback_url, "--callback-port": callback_port, "--timeout": timeout}
    if option := next((name for name, value in given.items() if value), None):
        raise CommandError(ExitCode.USAGE, f"{option} needs --verify.")
    checks = run_checks(run)
    code = exit_code(checks, strict=strict)
    if run.out.json:
        documents = [{key: value for key, value in check._asdict().items() if key != "exit"} for check in checks]
        run.out.document({"ok": code == ExitCode.OK, "checks": documents})
    else:
        for check in checks:
            details = [("", "", line) for line in (*check.details, check.hint) if line]
            for cells in ((check.state, check.name, check.message), *details):
                for row in aligned(cells, run.out.console.width) if is_terminal(sys.stdout) else [cells]:
                    run.out.line({}, row)
    if code:
        raise typer.Exit(code)


def aligned(cells: tuple[str, str, str], columns: int) -> Iterator[tuple[str, ...]]:
    """Align cells for a terminal, and wrap the last one below itself; URLs and options stay whole."""
    state, name, text = cells
    if columns < _MIN_TABLE_WIDTH:
        if state:
            yield state, name
        state, name, indent = "", "", 0
    else:
        indent = _NAME_WIDTH + _STATE_WIDTH + 2
    width = max(columns, _MIN_WIDTH) - indent - 2
    for line in textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False):
        yield (f"{state:<{_STATE_WIDTH}}", f"{name:<{_NAME_WIDTH}}", line) if indent else ("", line)
        state = name = ""


def run_checks(run: CommandContext) -> list[Check]:
    """Run all checks that are possible."""
    version = f"contentgroove {__version__} on {platform.python_implementation()} {platform.python_version()}."
    checks = [Check("version", "ok", version), *_check_variables()]
    violations: list[ContractViolation] = []
    try:
        client, contract = _create_client(run, violations)
    except (CommandError, ConfigurationError) as error:
        failure = describe_error(error)
        return [*checks, _failed_check(_SUBJECTS.get(failure.exit, "key"), failure), _not_checked(RESOURCES)]
    checked: list[str] = []
    with client:
        checks += [Check("key", "ok", "It is set; it is not shown."), contract]
        for name in RESOURCES:
            violations.clear()
            started = time.monotonic()
            try:
                response = client.request("GET", f"/{name}", query={"page": {"size": 1}})
            except ContentGrooveError as error:
                failure = describe_error(error)
                subject = _SUBJECTS.get(failure.exit, name)
                checks.append(_failed_check(subject, failure))
                if subject != name:
                    # The next resource would fail in the same way.
                    break
                checked.append(name)
                continue
            checked.append(name)
            seconds = time.monotonic() - started
            if not any(check.name == "clock" for check in checks):
                checks.append(check_clock(response.headers.get("date"), dt.datetime.now(dt.UTC)))
            result = f"{response.status_code} in {seconds * 1000:.0f} ms"
            items = member_count(response.parse())
            checks.append(_check_resource(name, result, items, violations, compared=contract.state == "ok"))
    return [*checks, _not_checked([name for name in RESOURCES if name not in checked])]


# (assumed: date-header)
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


def _not_checked(lists: Sequence[str]) -> Check:
    """Name what was not requested, or got no response: with some lists, if a run had to end before them."""
    left = f"The lists of {', '.join(lists)} were not checked. " if lists else ""
    return Check("not checked", "skipped", left + _NOT_REQUESTED)


def _check_variables() -> list[Check]:
    """Return a warning for each variable of the environment that is probably mistyped."""
    from contentgroove._core.settings import API_KEY_VARIABLE, BASE_URL_VARIABLE

    from .upload_batch import CHECKPOINTS_VARIABLE

    known = (API_KEY_VARIABLE, KEY_FILE_VARIABLE, BASE_URL_VARIABLE, TOKEN_VARIABLE, CHECKPOINTS_VARIABLE)
    return [
        Check("environment", "warning", f"The variable {name} is not used.", hint=f"Did you mean {meant}?")
        for name, meant in misspelt_variables(known).items()
    ]


def _failed_check(name: str, failure: ErrorReport) -> Check:
    return Check(name, "failed", failure.message, hint=failure.hint, exit=failure.exit)


def member_count(document: object) -> int | None:
    """Return how many items a list has; None if it is not a list."""
    data: object = cast("dict[str, object]", document).get("data") if isinstance(document, dict) else None
    return len(cast("list[object]", data)) if isinstance(data, list) else None


def _check_resource(
    name: str, result: str, items: int | None, violations: Sequence[ContractViolation], *, compared: bool
) -> Check:
    if not compared:
        return Check(name, "ok", f"{result}; not compared with the API's document.")
    if not violations:
        what = "this response, with no items," if not items else f"this response, with {items} item{'s' * (items > 1)},"
        return Check(name, "ok", f"{result}; {what} is as documented.")
    count = f"{len(violations)} differences" if len(violations) > 1 else "1 difference"
    details = tuple(" ".join(str(violation).split()) for violation in violations)
    hint = "Calls still work. See what changed with `contentgroove spec diff`."
    return Check(name, "warning", f"{result}; {count} from the API's document.", details, hint)
