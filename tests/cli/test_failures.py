"""Each kind of failure has its exit code, its words and its place in the documentation."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from contentgroove import errors
from contentgroove.cli.failures import MEANINGS, CommandError, ExitCode, combined_exit_code, describe_error

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

ANSWER = errors.RequestInfo("GET", "https://api.test/medias/1")


def answered(kind: type[errors.APIError], status: int) -> errors.APIError:
    detail = errors.ErrorDetail(detail="Too short.", pointer="/data/attributes/name")
    return kind("words for Python", status_code=status, errors=[detail], request=ANSWER)


CASES: dict[str, tuple[BaseException, int]] = {
    "no usable setting": (errors.ConfigurationError("x"), 2),
    "bad input": (errors.InvalidInputError("x"), 2),
    "400": (answered(errors.BadRequestError, 400), 10),
    "401": (answered(errors.AuthenticationError, 401), 3),
    "402": (answered(errors.QuotaExceededError, 402), 5),
    "404": (answered(errors.NotFoundError, 404), 4),
    "422": (answered(errors.UnprocessableEntityError, 422), 10),
    "429": (answered(errors.RateLimitError, 429), 6),
    "500": (answered(errors.ServerError, 500), 11),
    "unheard of": (answered(errors.APIError, 499), 10),
    "lost answer": (errors.OutcomeUnknownError("x"), 13),
    "500 to a POST": (answered(errors.ServerOutcomeUnknownError, 500), 13),
    "no connection": (errors.APIConnectionError("x"), 7),
    "no answer in time": (errors.APITimeoutError("x"), 7),
    "unreadable answer": (errors.ResponseDecodeError("x", status_code=200), 11),
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


def test_an_answer_is_told_in_words_of_the_command_line() -> None:
    """What the service said is shown with its place, and not the advice for Python programs."""
    failure = describe_error(answered(errors.AuthenticationError, 401))
    assert failure.message == (
        "The service answered 401 Unauthorized to GET https://api.test/medias/1: Too short (at /data/attributes/name)."
    )
    assert "contentgroove --help" in failure.hint


def test_a_timeout_tells_how_to_go_on() -> None:
    """The hint is a command that can be pasted."""
    media = describe_error(errors.WaitTimeoutError("x", media_id="m-1"))
    clip = describe_error(errors.WaitTimeoutError("x", media_id="m-1", clip_id="c-1"))
    assert "contentgroove medias wait m-1 --timeout" in media.hint
    assert "contentgroove clips wait c-1 --timeout" in clip.hint


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
    """What all share is the code; anything else is a partial failure."""
    assert combined_exit_code(exits) == code


def test_exit_codes_are_documented(cli: CommandLine) -> None:
    """`--help` and docs/cli.md list every code with its meaning."""
    shown = cli("--help").out
    documented = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    for code in ExitCode:
        assert re.search(rf"^\s*{code.value}  {re.escape(MEANINGS[code])}$", shown, re.MULTILINE)
        assert f"| {code.value} | `{code.kind}` | {MEANINGS[code]} |" in documented
