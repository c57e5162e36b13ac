"""Each kind of error has its exit code, its message and its entry in the documentation."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from contentgroove import RetryPolicy, errors
from contentgroove.cli.exit_codes import CommandError, ExitCode, combined_exit_code, describe_error
from contentgroove.cli.output import Output
from contentgroove_mock import Fault

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

REQUEST = errors.RequestInfo("GET", "https://api.test/medias/1")


def api_error(kind: type[errors.APIError], status: int) -> errors.APIError:
    detail = errors.ErrorDetail(detail="Too short.", pointer="/data/attributes/name")
    return kind("message for Python", status_code=status, errors=[detail], request=REQUEST)


CASES: dict[str, tuple[BaseException, int]] = {
    "no usable setting": (errors.ConfigurationError("x"), 2),
    "bad input": (errors.InvalidInputError("x"), 2),
    "400": (api_error(errors.BadRequestError, 400), 10),
    "401": (api_error(errors.AuthenticationError, 401), 3),
    "402": (api_error(errors.QuotaExceededError, 402), 5),
    "404": (api_error(errors.NotFoundError, 404), 4),
    "422": (api_error(errors.UnprocessableEntityError, 422), 10),
    "429": (api_error(errors.RateLimitError, 429), 6),
    "500": (api_error(errors.ServerError, 500), 11),
    "unheard of": (api_error(errors.APIError, 499), 10),
    "lost response": (errors.OutcomeUnknownError("x"), 13),
    "upload in doubt": (errors.OutcomeUnknownError("x", checkpoint="c.json"), 13),
    "500 to a POST": (api_error(errors.ServerOutcomeUnknownError, 500), 13),
    "no connection": (errors.APIConnectionError("x"), 7),
    "no response in time": (errors.APITimeoutError("x"), 7),
    "unreadable response": (errors.ResponseDecodeError("x", status_code=200), 11),
    "unreadable field": (errors.MissingFieldError("x", model="Media", resource_id="m", field="name", reason="y"), 11),
    "broken contract": (errors.ContractViolationError([]), 11),
    "circle of links": (errors.PagingError("x"), 11),
    "file missing": (errors.UploadError("x", reason="missing"), 12),
    "store refused": (errors.UploadError("x", reason="refused", status_code=503), 12),
    "store unreachable": (errors.UploadError("x", reason="connection"), 7),
    "processing failed": (errors.MediaProcessingError("x", media_id="m"), 8),
    "not finished": (errors.WaitTimeoutError("x", media_id="m"), 9),
    "webhook payload": (errors.WebhookPayloadError("x"), 1),
    "webhook token": (errors.WebhookAuthError("x"), 1),
    "checkpoint": (errors.CheckpointError("x", checkpoint="c.json"), 1),
    "checkpoint in use": (errors.CheckpointInUseError("x", holder=None), 2),
    "base class": (errors.ContentGrooveError("x"), 1),
    "own": (CommandError(ExitCode.AUTH, "x"), 3),
    "disk": (OSError(errno.ENOSPC, "No space left on device", "out.json"), 1),
    "defect": (ZeroDivisionError("x"), 1),
}


@pytest.mark.parametrize("name", CASES)
def test_exit_code(name: str) -> None:
    """Each error has the exit code of its kind."""
    error, code = CASES[name]
    assert describe_error(error).exit == code


def test_all_errors_are_listed() -> None:
    """A new class of error needs a decision here."""
    classes = {value for name in errors.__all__ if isinstance(value := getattr(errors, name), type)}
    known = {type(error) for error, _ in CASES.values()}
    assert {kind for kind in classes if issubclass(kind, Exception)} <= known


def test_an_error_response_has_a_message_for_the_command_line() -> None:
    """The service's text is shown with its location, without the advice for Python programs."""
    failure = describe_error(api_error(errors.AuthenticationError, 401))
    assert failure.message == (
        "The service returned 401 Unauthorized for GET https://api.test/medias/1: Too short (at /data/attributes/name)."
    )
    assert "contentgroove --help" in failure.hint


def test_a_timeout_has_a_hint() -> None:
    """The hint is a command that can be pasted."""
    media = describe_error(errors.WaitTimeoutError("x", media_id="m-1"))
    clip = describe_error(errors.WaitTimeoutError("x", media_id="m-1", clip_id="c-1"))
    assert "contentgroove medias wait m-1 --timeout" in media.hint
    assert "contentgroove clips wait c-1 --timeout" in clip.hint


def test_an_upload_in_doubt_has_a_hint() -> None:
    """The hint is a command that can be pasted, whatever its path is."""
    hint = describe_error(errors.OutcomeUnknownError("x", checkpoint="my points/c.json")).hint
    assert "contentgroove medias resolve 'my points/c.json' --media MEDIA-ID" in hint
    assert "--not-created" in hint


@pytest.mark.parametrize(
    ("exits", "code"),
    [
        ([], 0),
        ([ExitCode.OK, ExitCode.OK], 0),
        ([ExitCode.QUOTA, ExitCode.QUOTA], 5),
        ([ExitCode.OK, ExitCode.QUOTA], 14),
        ([ExitCode.QUOTA, ExitCode.FILE], 14),
    ],
)
def test_exit_code_of_several(exits: list[ExitCode], code: int) -> None:
    """A code that all share is kept; anything else is a partial failure."""
    assert combined_exit_code(exits) == code


def test_exit_codes_are_documented(cli: CommandLine) -> None:
    """`--help` and docs/cli.md list every code with its meaning."""
    text = cli("--help").out
    listed = re.findall(r"^ +(\d+)  (.+)$", text.partition("Exit codes:")[2], re.MULTILINE)
    assert listed == [(str(code.value), code.meaning) for code in ExitCode]
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| (\d+) \| `(\w+)` \| (.+) \|$", page, re.MULTILINE)
    assert documented == [(str(code.value), code.kind, code.meaning) for code in ExitCode]


def status(code: int) -> Fault:
    """Let the service refuse each GET of a media."""
    return Fault(kind="status", status=code, operation="getMediaById", count=9)


# Arguments, in which MEDIA stands for an id, and what the service does.
REACHED: dict[ExitCode, tuple[str, Fault | None]] = {
    ExitCode.OK: ("medias show MEDIA", None),
    ExitCode.FAILED: ("clips export MEDIA --format csv --output no/where.csv", None),
    ExitCode.USAGE: ("medias show", None),
    ExitCode.AUTH: ("medias show MEDIA", status(401)),
    ExitCode.NOT_FOUND: ("medias show m-1", None),
    ExitCode.QUOTA: ("medias show MEDIA", status(402)),
    ExitCode.RATE_LIMIT: (
        "medias show MEDIA",
        Fault(kind="status", status=429, operation="getMediaById", retry_after="9999"),
    ),
    ExitCode.NETWORK: ("medias show MEDIA", Fault(kind="reset", operation="getMediaById", count=9)),
    ExitCode.PROCESSING_FAILED: ("medias wait FAILED", None),
    ExitCode.TIMEOUT: ("medias wait MEDIA --timeout 0", status(503)),
    ExitCode.REFUSED: ("medias show MEDIA", status(422)),
    ExitCode.SERVICE: ("medias show MEDIA", status(500)),
    ExitCode.FILE: ("medias upload nothing.mp4", None),
    ExitCode.OUTCOME_UNKNOWN: (
        "clips create MEDIA --name x --start 0 --end 1",
        Fault(kind="reset", operation="createClip", after_commit=True, count=9),
    ),
    ExitCode.PARTIAL: ("medias wait MEDIA m-1", None),
    ExitCode.INTERRUPTED: ("medias show MEDIA", None),
    ExitCode.CLOSED_PIPE: ("medias show MEDIA", None),
}


@pytest.mark.parametrize("code", ExitCode)
def test_every_exit_code_is_reached(own_cli: CommandLine, monkeypatch: pytest.MonkeyPatch, code: ExitCode) -> None:
    """Each by a command line; an error has one line `error: …`, and at most one with what to do next."""
    monkeypatch.setattr(RetryPolicy, "backoff", lambda *_: 0.0)
    arguments, fault = REACHED[code]
    media_id = own_cli.media()
    if "FAILED" in arguments:
        with own_cli.client() as client:
            media_id = client.medias.create(source_url="https://films.example/a.mp4").id
        own_cli.server.simulator.fail_media(media_id)
    words = re.sub("MEDIA|FAILED", media_id, arguments).split()
    if fault is not None:
        own_cli.server.simulator.add_fault(fault)
    if code in {ExitCode.INTERRUPTED, ExitCode.CLOSED_PIPE}:

        def stop(*_: object) -> None:
            raise KeyboardInterrupt if code is ExitCode.INTERRUPTED else BrokenPipeError

        monkeypatch.setattr(Output, "print_item", stop)
    ran = own_cli(*words)
    assert ran.code == code, ran.err
    lines = ran.err.splitlines()
    if code in {ExitCode.OK, ExitCode.CLOSED_PIPE}:
        assert lines == []
    else:
        assert re.match(r"error: [A-Z\w-].*[.\w)]$", lines[0])
        assert len(lines) <= 2
        assert all(line.startswith("  ") for line in lines[1:])
