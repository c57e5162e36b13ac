"""The command `contentgroove mock`."""

from __future__ import annotations

import signal
import threading
from pathlib import Path  # noqa: TC003  # typer reads the signature at run time
from typing import Annotated

import typer
from contentgroove._extras import needs
from contentgroove._io.interruptible import wait_for
from contentgroove.cli.command import STOP_SIGNALS, own_command
from contentgroove.cli.exit_codes import CommandError, ExitCode


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
    control: Annotated[bool, typer.Option("--control", help="Also serve /_control.")] = False,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the state in this file across restarts.")
    ] = None,
    processing_seconds: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long a media is processed.", min=0)
    ] = 2.0,
) -> None:
    """Serve a mock of the ContentGroove service until Ctrl-C."""
    with needs("`contentgroove mock`", "mock"):
        # Loaded here so that other commands of the command line start without a web server.
        from contentgroove_mock import Policy, Simulator, serve

    ended = threading.Event()
    for number in STOP_SIGNALS:
        signal.signal(number, lambda _number, _frame: ended.set())
    try:
        policy = Policy(processing_seconds=processing_seconds)
        simulator = Simulator(control=control, state_file=state, policy=policy)
        with serve(simulator, port, host=host) as server:
            typer.echo(f"ContentGroove mock at {server.base_url}")
            typer.echo(f"Try:  curl -H 'Authorization: Bearer any-key' {server.base_url}/medias")
            typer.echo("Any key works and has its own account. Ctrl-C stops the server.")
            wait_for(ended.wait)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CommandError(ExitCode.FAILED, f"The mock cannot start: {reason.rstrip('.')}.") from error
