"""What `contentgroove mock --record` and `--replay` do: serve until Ctrl-C, and print each exchange."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import typer
from contentgroove._core.secret import Secret
from contentgroove._core.settings import BASE_URL_VARIABLE, DEFAULT_BASE_URL, check_base_url
from contentgroove._io.client_options import read_variable
from contentgroove._io.interruptible import wait_for
from contentgroove.cli.exit_codes import CommandError, ExitCode
from contentgroove.cli.output import multi_line
from contentgroove.errors import ConfigurationError

from contentgroove_mock.recording.proxy import serve_recording
from contentgroove_mock.recording.recordings import RecordingError
from contentgroove_mock.recording.replay import Replay
from contentgroove_mock.simulator.server import serve_app
from contentgroove_mock.simulator.web.api import BASE_PATH

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from contentgroove_mock.recording.proxy import Outcome
    from contentgroove_mock.recording.sessions import Session


def record_until_stopped(file: Path, target: str | None, port: int, *, ended: threading.Event) -> None:
    """Serve a proxy that records to a new file.

    Args:
        file: The recording.
        target: The base URL of the service; None means that of the environment, or the service's own.
        port: The port; 0 means any free port.
        ended: Set when the program should end.

    Raises:
        CommandError: The proxy cannot start.
    """
    variable = read_variable(BASE_URL_VARIABLE)
    given = Secret(target) if target is not None else variable or Secret(DEFAULT_BASE_URL)
    try:
        base_url = check_base_url(given)
    except ConfigurationError as error:
        option = "--target" if target is not None else BASE_URL_VARIABLE
        raise CommandError(ExitCode.USAGE, str(error).replace("base_url", option, 1)) from None
    counts = {"recorded": 0, "violations": 0, "problems": 0}

    def report(outcome: Outcome) -> None:
        counts["recorded" if outcome.problem is None else "problems"] += 1
        counts["violations"] += len(outcome.violations)
        _print(_outcome_lines(outcome))

    try:
        with serve_recording(file, base_url, port, on_exchange=report) as served:
            intro = [
                f"Recording proxy of {base_url} at {served}",
                f"Use it:  export {BASE_URL_VARIABLE}={served}",
                f"Keys and signed URLs are not written to {file}; names and spoken text are. Ctrl-C stops it.",
            ]
            _print(intro)
            wait_for(ended.wait)
    except (OSError, RecordingError) as error:
        raise CommandError(ExitCode.FAILED, f"The recording proxy cannot start: {_reason(error)}.") from error
    summary = [f"Nothing was recorded, so there is no {file}."]
    if counts["recorded"]:
        violations = _count(counts["violations"], "violation")
        summary = [
            f"{_count(counts['recorded'], 'exchange')} in {file}, {violations} of the contract.",
            f"Replay: contentgroove mock --replay {shlex.quote(str(file))}",
        ]
    if counts["problems"]:
        summary.append(f"{_count(counts['problems'], 'request')} not recorded, see above.")
    _print(summary)


def replay_until_stopped(file: Path, port: int, *, host: str, ended: threading.Event) -> None:
    """Serve a recording; the arguments are those of `record_until_stopped`, and the address to listen on.

    Raises:
        CommandError: The file is not a recording, or the server cannot start.
    """
    try:
        replay = Replay(file, lambda request, status: _print([_line(request, status)]))
        with serve_app(replay, port, host=host) as origin:
            intro = f"Replay of {_described(replay.session)} at {origin}{BASE_PATH}"
            _print([intro, "Any key works. Ctrl-C stops it."])
            wait_for(ended.wait)
    except (OSError, RecordingError) as error:
        raise CommandError(ExitCode.FAILED, f"The replay cannot start: {_reason(error)}.") from error


def _described(session: Session) -> str:
    text = f"{_count(len(session.recordings), 'exchange')} with {session.header.target} from {session.name}"
    return f"{text} (its last line is incomplete: recording was interrupted)" if session.incomplete else text


def _outcome_lines(outcome: Outcome) -> list[str]:
    lines = [_line(outcome.request, outcome.status), *(f"    {violation}" for violation in outcome.violations)]
    return lines if outcome.problem is None else [*lines, f"    not recorded: {outcome.problem}"]


def _line(request: str, status: int | None) -> str:
    return f"{request} → {status or 'cut off'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _reason(error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return reason.rstrip(".")


def _print(lines: list[str]) -> None:
    typer.echo(multi_line("\n".join(lines)))
