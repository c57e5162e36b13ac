"""The command `contentgroove mock`."""

from __future__ import annotations

import importlib
import math
import signal
import threading
from pathlib import Path  # noqa: TC003  # typer reads the signature at run time
from typing import TYPE_CHECKING, Annotated

import typer
from contentgroove._extras import needs
from contentgroove._io.interruptible import wait_for
from contentgroove._openapi.documents import DocumentError
from contentgroove._openapi.folders import find_document
from contentgroove.cli.command import STOP_SIGNALS, own_command
from contentgroove.cli.exit_codes import CommandError, ExitCode
from contentgroove.cli.output import multi_line

if TYPE_CHECKING:
    from contentgroove._openapi.documents import Json

    from contentgroove_mock.document_mock import Exchange


def register(app: typer.Typer) -> None:
    """Add this package's command to the command line."""
    examples = ("mock --port 8080", "mock --port 8080 --state mock.json --processing-seconds 0.5")
    own_command(app, "mock", examples=examples)(mock)


def mock(
    *,
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", help="The port; 0 chooses a free one.", min=0, max=65535)
    ] = 0,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    control: Annotated[bool, typer.Option("--control", help="Also serve /_mock.")] = False,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the state in this file across restarts.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Start with the accounts, medias and so on of this file.")
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="KEY", help="Accept this API key and no others; can be repeated."),
    ] = None,
    processing_seconds: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long a media is processed; inf: until it is told.", min=0)
    ] = 2.0,
    latency: Annotated[float, typer.Option(metavar="SECONDS", help="Send each response that much later.", min=0)] = 0.0,
    webhook_ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Trust this CA, in PEM, when webhooks go to https URLs.")
    ] = None,
    document: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Serve another API: an OpenAPI document, or a folder with one.")
    ] = None,
    dynamic: Annotated[
        bool, typer.Option("--dynamic", help="With --document: make up another response each time.")
    ] = False,
) -> None:
    """Serve a mock of the ContentGroove service until Ctrl-C; with --document, of any API."""
    if document is not None:
        given: dict[str, object] = {"--control": control, "--state": state, "--data": data, "--key": key}
        given |= {"--latency": latency, "--webhook-ca": webhook_ca}
        if names := [name for name, value in given.items() if value]:
            verb = "belongs" if len(names) == 1 else "belong"
            raise typer.BadParameter(f"{' and '.join(names)} {verb} to the simulator, not to --document.")
        with needs("`contentgroove mock --document`", "spec"):
            # Documents may be YAML.
            importlib.import_module("yamlcore")
        try:
            file, content = find_document(document)
        except DocumentError as error:
            raise CommandError(ExitCode.FAILED, multi_line(str(error))) from error
        raise typer.Exit(serve_until_stopped(content, file.name, port, host=host, dynamic=dynamic))
    with needs("`contentgroove mock`", "mock"):
        # Loaded here so that other commands of the command line start without a web server.
        from contentgroove_mock import Policy, Simulator, serve

    ended = _stop_event()
    try:
        policy = Policy(processing_seconds=None if math.isinf(processing_seconds) else processing_seconds)
        simulator = Simulator(
            control=control,
            state_file=state,
            policy=policy,
            api_keys=key,
            data=data,
            latency=latency,
            webhook_ca=webhook_ca,
        )
        with serve(simulator, port, host=host) as server:
            typer.echo(f"ContentGroove mock at {server.base_url}")
            shown_key = "YOUR-KEY" if key else "any-key"
            typer.echo(f"Try:  curl -H 'Authorization: Bearer {shown_key}' {server.base_url}/medias")
            accepted = "The given keys work, and each" if key else "Any key works and"
            typer.echo(f"{accepted} has its own account. Ctrl-C stops the server.")
            wait_for(ended.wait)
    except (OSError, ValueError) as error:
        raise CommandError(ExitCode.FAILED, f"The mock cannot start: {_reason(error)}.") from error


def serve_until_stopped(document: Json, name: str, port: int, *, host: str, dynamic: bool) -> int:
    """Serve a checked mock of a document until Ctrl-C, and return the exit status.

    Args:
        document: An OpenAPI 3 document.
        name: Its name in messages.
        port: The port; 0 means any free port.
        host: The address to listen on.
        dynamic: Whether each response is made up again.
    """
    with needs("A mock of a document", "prism"):
        from contentgroove_mock.document_mock import exchange_lines, serve_document
        from contentgroove_mock.npm import NpmError

    def log(exchange: Exchange) -> None:
        typer.echo(multi_line("\n".join(exchange_lines(exchange))))

    ended = _stop_event()
    try:
        with serve_document(document, port, host=host, dynamic=dynamic, on_exchange=log) as (base_url, served):
            for problem in served.checker.problems:
                typer.echo(multi_line(f"warning: {problem}"), err=True)
            operations = len(served.checker.operations)
            typer.echo(f"Mock of {name} at {base_url} ({operations} operations). Ctrl-C stops it.")
            wait_for(ended.wait)
    except (OSError, NpmError) as error:
        typer.echo(multi_line(f"error: The mock cannot start: {_reason(error)}."), err=True)
        return 1
    typer.echo(str(served.counts))
    return 0


def _stop_event() -> threading.Event:
    """Return what the signals that end a program set."""
    ended = threading.Event()
    for number in STOP_SIGNALS:
        signal.signal(number, lambda _number, _frame: ended.set())
    return ended


def _reason(error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return reason.rstrip(".")
