"""`contentgroove doctor`: checks of the setup, and of the service against the API's document."""

from __future__ import annotations

import datetime as dt
import platform
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import structs

from contentgroove._version import __version__
from contentgroove.errors import ConfigurationError, ContentGrooveError

from . import diagnosis
from .command import CommandContext, command
from .diagnosis import Check
from .failures import CommandError, ExitCode, describe_error
from .streams import is_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove import ContentGroove
    from contentgroove.errors import ContractViolation


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    command(
        app, "doctor", examples=("doctor", "doctor --base-url http://127.0.0.1:8080/api/v1", "doctor --strict --json")
    )(doctor)


def doctor(
    run: CommandContext,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Also fail on warnings.")] = False,
) -> None:
    """Check the API key, the connection, the clock and the service.

    Fetches one list of each resource, with one item, and compares the responses with the API's document. Nothing is
    created or changed.
    """
    checks = diagnose(run)
    if run.out.json:
        passed = diagnosis.exit_code(checks, strict=strict) == ExitCode.OK
        run.out.document({"ok": passed, "checks": [_data(check) for check in checks]})
    else:
        # In a terminal, the cells of all lines are aligned.
        widths = (7, 21, 0) if is_terminal(sys.stdout) else (0, 0, 0)
        for check in checks:
            for cells in _lines(check):
                run.out.line({}, [f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)])
    if code := diagnosis.exit_code(checks, strict=strict):
        raise typer.Exit(code)


def diagnose(run: CommandContext) -> list[Check]:
    """Run all checks that are possible."""
    version = f"contentgroove {__version__} on {platform.python_implementation()} {platform.python_version()}."
    checks = [Check(name="version", state="ok", message=version)]
    violations: list[ContractViolation] = []
    try:
        client, contract = _client(run, violations)
    except (CommandError, ConfigurationError) as error:
        return [*checks, diagnosis.failed("key", describe_error(error))]
    with client:
        checks += [Check(name="key", state="ok", message="It is set; it is not shown."), contract]
        for name in diagnosis.RESOURCES:
            violations.clear()
            started = time.monotonic()
            try:
                response = client.request("GET", f"/{name}", query={"page": {"size": 1}})
            except ContentGrooveError as error:
                failure = describe_error(error)
                checks.append(diagnosis.failed(diagnosis.failed_check_name(failure, name), failure))
                if checks[-1].name != name:
                    # The next resource would fail in the same way.
                    break
                continue
            seconds = time.monotonic() - started
            if not any(check.name == "clock" for check in checks):
                checks.append(diagnosis.clock(response.headers.get("date"), dt.datetime.now(dt.UTC)))
            checks.append(diagnosis.resource(name, response.status_code, seconds, violations))
    return checks


def _client(run: CommandContext, violations: list[ContractViolation]) -> tuple[ContentGroove, Check]:
    try:
        client = run.new_client(on_contract_violation=violations.extend)
    except ConfigurationError as error:
        if "on_contract_violation" not in error.message:
            raise
        return run.new_client(), Check(
            name="contract",
            state="skipped",
            message="Responses are not checked.",
            hint=error.message.partition(": ")[2],
        )
    return client, Check(name="contract", state="ok", message="Responses are checked, field by field.")


def _lines(check: Check) -> Iterator[tuple[str, ...]]:
    yield check.state, check.name, check.message
    for line in (*check.details, check.hint):
        if line:
            yield "", "", line


def _data(check: Check) -> dict[str, Any]:
    data = structs.asdict(check)
    del data["exit"]
    return data
