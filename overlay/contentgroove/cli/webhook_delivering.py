"""`contentgroove webhooks`: the commands that receive, forward, send and repeat deliveries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contentgroove._core.secret import conceal

from . import options
from .command import CommandContext, command, group
from .exit_codes import CommandError, ExitCode

if TYPE_CHECKING:
    from contentgroove._core.secret import Secret

    from .webhook_posting import Target

app = group("webhooks", "Subscriptions to events, and the events that are delivered.")

AllowHttpOption = Annotated[
    bool, typer.Option("--allow-http", help="Allow an http URL on another machine, such as in a network of Docker.")
]


def _target(url: str, token: Secret | None, *, allow_http: bool) -> Target:
    from .webhook_posting import Target

    return Target(conceal(url), token, allow_http=allow_http)


@command(
    app,
    "listen",
    examples=(
        "webhooks listen --port 8000",
        "webhooks listen --port 8000 --inbox events.db --json",
        "webhooks listen --port 9000 --forward-to http://127.0.0.1:8000/hook",
    ),
    needs_client=False,
)
def listen(
    run: CommandContext,
    *,
    port: Annotated[int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="0 selects a free port.")] = 0,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    inbox: options.InboxOption = None,
    token_file: options.TokenFileOption = None,
    forward_to: Annotated[
        str | None, typer.Option("--forward-to", metavar="URL", help="POST each event to this URL of your app.")
    ] = None,
    replay_last: Annotated[
        bool, typer.Option("--replay-last", help="First forward the last event of the inbox again.")
    ] = False,
    allow_http: AllowHttpOption = False,
) -> None:
    """Receive webhooks and print each event until Ctrl-C.

    Every path is accepted. The response is 200 once an event is recorded: in the inbox, where `webhooks work` or your
    app handles it, or without --inbox in memory, which only detects duplicates. To receive from outside, put a tunnel
    or a web server with https in front.

    With --forward-to, each event is POSTed to your app as it came, and the app's response is printed. It changes
    nothing in the inbox. In a terminal, r and Enter forward the last event again.
    """
    from .webhook_server import open_server

    if forward_to is None and (replay_last or allow_http):
        raise CommandError(ExitCode.USAGE, "--replay-last and --allow-http need --forward-to URL.")
    if replay_last and inbox is None:
        raise CommandError(ExitCode.USAGE, "--replay-last needs --inbox FILE: without it, no event is kept.")
    token = options.find_secret_token(token_file)
    if token is None:
        run.out.warn("Without CONTENTGROOVE_WEBHOOK_TOKEN or --token-file, every sender is trusted.")
    target = None if forward_to is None else _target(forward_to, token, allow_http=allow_http)
    with options.open_inbox(inbox, create=True) as opened:
        open_server(run.out, (host, port), opened, token, target, replay_last=replay_last)


@command(
    app,
    "trigger",
    examples=(
        "webhooks trigger media.processing_finished --to http://127.0.0.1:8000/hook",
        "webhooks trigger media.processing_finished --to URL --set data.attributes.has_fetch_error=true",
        "webhooks trigger media.processing_finished --name Film --print > body.json",
    ),
    exit_codes={7: "the app cannot be reached", 10: "its response is not 200"},
    needs_client=False,
)
def trigger(
    run: CommandContext,
    event: Annotated[str, typer.Argument(metavar="EVENT", help="Such as media.processing_finished.")],
    *,
    to: Annotated[str | None, typer.Option("--to", metavar="URL", help="POST the event to this URL.")] = None,
    print_: Annotated[bool, typer.Option("--print", help="Print the body and send nothing.")] = False,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="PATH=VALUE", help="Such as data.attributes.name=Film; JSON or text; repeatable."
        ),
    ] = None,
    media_id: Annotated[str | None, typer.Option("--media-id", metavar="ID", help="Default: a new one.")] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="The media's name.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="Start with the event in this file.")
    ] = None,
    token_file: options.TokenFileOption = None,
    any_event: Annotated[
        bool, typer.Option("--any-event", help="Send also an event that the contract does not have.")
    ] = False,
    allow_http: AllowHttpOption = False,
) -> None:
    """Send an event with chosen fields to a URL, as the service would.

    Nothing is sent to the service. Each event is a new one, unless you choose the media's id and its
    processing_started_at. The exit code is 0 only if the response is 200: the service counts nothing else as delivered.
    The token of CONTENTGROOVE_WEBHOOK_TOKEN or --token-file is added to the URL.
    """
    from .webhook_trigger import build_event, encode, trigger_event

    if (to is None) != print_:
        raise CommandError(ExitCode.USAGE, "Pass either --to URL or --print.")
    target = None if to is None else _target(to, options.find_secret_token(token_file), allow_http=allow_http)
    body = build_event(
        run.out, event, file=file, media_id=media_id, name=name, changes=changes or (), any_event=any_event
    )
    if target is not None:
        trigger_event(run.out, body, target)
    else:
        run.out.text(f"{encode(body).decode()}\n")


@command(
    app,
    "replay",
    examples=(
        "webhooks replay body.json --to http://127.0.0.1:8000/",
        "webhooks replay body.json --inbox events.db",
        "webhooks replay MEDIA-ID --inbox events.db",
        "webhooks replay --unreadable --inbox events.db",
    ),
    exit_codes={7: "the app cannot be reached", 10: "its response is not 200, or the event stays in the inbox"},
    needs_client=False,
)
def replay(
    run: CommandContext,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="KEY", help="A file with a saved body; or the key or media id of an event in the inbox."
        ),
    ] = None,
    *,
    to: Annotated[str | None, typer.Option("--to", metavar="URL", help="POST the file to this URL.")] = None,
    inbox: options.InboxOption = None,
    token_file: options.TokenFileOption = None,
    unreadable: Annotated[
        bool,
        typer.Option("--unreadable", help="Read again all bodies that could not be read, such as after an update."),
    ] = False,
    allow_http: AllowHttpOption = False,
) -> None:
    """Deliver a saved body, or handle an event again.

    A saved body is POSTed (--to) or recorded (--inbox). An event can be handled again even if it is done or dead. A
    body that could not be read is read again; its event is then pending under a key of its own.

    With --to, the token of CONTENTGROOVE_WEBHOOK_TOKEN or --token-file is added to the URL.
    """
    from . import webhook_inbox

    if (to is None) == (inbox is None):
        raise CommandError(ExitCode.USAGE, "Pass either --to URL or --inbox FILE.")
    if (source is None) != unreadable or (unreadable and to is not None):
        raise CommandError(ExitCode.USAGE, "Pass FILE, KEY or MEDIA-ID, or --unreadable with --inbox FILE.")
    if source is None:
        with options.open_inbox(inbox, create=False) as opened:
            webhook_inbox.read_bodies_again(run.out, opened)
        return
    file = Path(source)
    if to is not None:
        token = options.find_secret_token(token_file)
        webhook_inbox.post_event(run.out, file, _target(to, token, allow_http=allow_http))
        return
    is_file = file.is_file()
    with options.open_inbox(inbox, create=is_file) as opened:
        if is_file:
            webhook_inbox.record_event(run.out, file, opened)
        else:
            webhook_inbox.replay_event(run.out, source, opened)
