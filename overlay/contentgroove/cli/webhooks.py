"""`contentgroove webhooks`: subscriptions, and what is delivered to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contentgroove._core.redaction import redact_url
from contentgroove.webhooks import subscribe

from .command import CommandContext, command, group
from .failures import CommandError, ExitCode
from .options import FilterOption, LimitOption, PageSizeOption, parse_filters, parse_sort
from .output import Column, document
from .several import for_each_id
from .webhooks_options import InboxOption, NeededInboxOption, State, TokenFileOption, find_secret_token, open_inbox

if TYPE_CHECKING:
    from contentgroove.models import WebhookSubscription

app = group("webhooks", "Subscriptions to events, and the events that are delivered.")

EventsOption = Annotated[
    list[str] | None,
    typer.Option("--event", "-e", metavar="NAME", help="Such as media.processing_finished; repeat it. All without it."),
]


def activity(subscription: WebhookSubscription) -> str:
    """Say whether a subscription's URL is told of events, in a word."""
    return "active" if subscription.active else "inactive"


COLUMNS: list[Column[WebhookSubscription]] = [
    Column("id", lambda subscription: subscription.id, 36),
    Column("state", activity, 8),
    Column("events", lambda subscription: " ".join(subscription.subscribed_events)),
    Column("url", lambda subscription: redact_url(subscription.url)),
]


@command(app, "list", examples=("webhooks list", "webhooks list --filter url_cont=example.com --json"))
def list_(
    run: CommandContext,
    *,
    filter_: FilterOption = None,
    sort: Annotated[str | None, typer.Option(metavar="ORDER", help="created_at; with a minus for descending.")] = None,
    limit: LimitOption = None,
    page_size: PageSizeOption = None,
) -> None:
    """List subscriptions: id, state, events and URL, without its token."""
    from contentgroove_api.models.get_webhook_subscriptions_sort import GetWebhookSubscriptionsSort

    filters, order = parse_filters(filter_), parse_sort(sort, GetWebhookSubscriptionsSort)
    pager = run.client.webhook_subscriptions.list(filter=filters, sort=order, limit=limit, page_size=page_size)
    if not run.out.table(pager.pages(), COLUMNS, document):
        run.out.print_note("No subscriptions.")


@command(app, "show", examples=("webhooks show SUBSCRIPTION_ID --json",))
def show(
    run: CommandContext,
    subscription_id: Annotated[
        str, typer.Argument(metavar="SUBSCRIPTION_ID", help="The subscription's id.", show_default=False)
    ],
) -> None:
    """Show a subscription. Only --json gives its URL with the token that it carries."""
    subscription = run.client.webhook_subscriptions.get(subscription_id)
    run.out.print_item(fields(subscription), document(subscription))


@command(app, "create", examples=("webhooks create https://example.com/hook",))
def create(
    run: CommandContext,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where events are POSTed, as it is.", show_default=False)],
    *,
    events: EventsOption = None,
) -> None:
    """Subscribe a URL as it is. `subscribe` gives it a secret token, which tells real events from forged ones."""
    subscription = run.client.webhook_subscriptions.create(url=url, subscribed_events=events)
    run.out.print_item(fields(subscription), document(subscription))


@command(app, "subscribe", examples=("webhooks subscribe https://example.com/contentgroove",))
def subscribe_(
    run: CommandContext,
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Where your receiver is reached, without a token.", show_default=False)
    ],
    *,
    events: EventsOption = None,
) -> None:
    """Subscribe a URL with a fresh secret token, and show the token this once.

    The service signs nothing: who knows the token is who was told by it. Give it to your receiver (secret_token=…), or
    to `contentgroove webhooks listen` in the environment variable CONTENTGROOVE_WEBHOOK_TOKEN.
    """
    subscription, token = subscribe(run.client, url, events=events)
    run.out.print_item({**fields(subscription), "token": token}, {**document(subscription), "token": token})
    run.out.print_note("The token is not shown again. Keep it where your receiver finds it, out of arguments and logs.")


@command(app, "delete", examples=("webhooks delete SUBSCRIPTION_ID --yes",))
def delete(
    run: CommandContext,
    subscription_ids: Annotated[
        list[str], typer.Argument(metavar="SUBSCRIPTION_ID...", help="Ids of subscriptions.", show_default=False)
    ],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete subscriptions: their URLs are told nothing more."""
    what = f"subscription {subscription_ids[0]}" if len(subscription_ids) == 1 else f"{len(subscription_ids)} of them"
    run.confirm(f"Delete {what}?", yes=yes)

    def act(subscription_id: str) -> None:
        run.client.webhook_subscriptions.delete(subscription_id)
        run.out.line({"id": subscription_id, "deleted": True}, (subscription_id, "deleted"))

    for_each_id(run, subscription_ids, act)


@command(
    app,
    "listen",
    examples=("webhooks listen --port 8000", "webhooks listen --port 8000 --inbox events.db --json"),
    needs_client=False,
)
def listen(
    run: CommandContext,
    *,
    port: Annotated[int, typer.Option(help="The port; 0 chooses one that is free.", min=0, max=65535)] = 0,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    inbox: InboxOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Receive webhooks, at any path, and print each event as it arrives, until Ctrl-C.

    Each is answered with 200 once it is recorded: in the inbox's file, where `webhooks work` or your app handles it, or
    without one in memory, which only tells what comes twice. To be reached from outside, put a tunnel or a web server
    with https in front.
    """
    from .webhooks_listen import open_server

    token = find_secret_token(token_file)
    if token is None:
        run.out.warn("Without CONTENTGROOVE_WEBHOOK_TOKEN or --token-file, whoever reaches the port is believed.")
    with open_inbox(inbox, create=True) as opened:
        open_server(run.out, host, port, opened, token)


@command(
    app,
    "events",
    examples=("webhooks events --inbox events.db --state dead",),
    needs_client=False,
)
def events_(
    run: CommandContext,
    *,
    inbox: NeededInboxOption,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="How many at most.")] = 100,
) -> None:
    """List what an inbox holds, the newest first: state, attempts, time, media, key and the last error."""
    from .webhooks_events import EVENT_COLUMNS, stored_event_json

    with open_inbox(inbox, create=False) as opened:
        found = opened.events(None if state is None else state.value, limit)
        if not run.out.table([found] if found else [], EVENT_COLUMNS, stored_event_json):
            run.out.print_note("No events.")


@command(app, "prune", examples=("webhooks prune --inbox events.db --days 90",), needs_client=False)
def prune(
    run: CommandContext,
    *,
    inbox: NeededInboxOption,
    days: Annotated[float, typer.Option(min=0, metavar="N", help="What was done longer ago is forgotten.")] = 90.0,
) -> None:
    """Forget events that were done long ago. What is forgotten would be handled anew if it were delivered again."""
    with open_inbox(inbox, create=False) as opened:
        count = opened.prune(days * 86_400)
    run.out.print_item({"forgotten": str(count)}, {"forgotten": count})


@command(
    app,
    "replay",
    examples=(
        "webhooks replay body.json --to http://127.0.0.1:8000/",
        "webhooks replay body.json --inbox events.db",
        "webhooks replay MEDIA_ID --inbox events.db",
    ),
    needs_client=False,
)
def replay(
    run: CommandContext,
    what: Annotated[
        str,
        typer.Argument(metavar="FILE|KEY|MEDIA_ID", help="A saved body, or an event of the inbox.", show_default=False),
    ],
    *,
    to: Annotated[str | None, typer.Option("--to", metavar="URL", help="POST a file's body to this URL.")] = None,
    inbox: InboxOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Deliver a saved body once more, or have an event of an inbox handled once more, be it done or dead.

    With --to, the token of CONTENTGROOVE_WEBHOOK_TOKEN or --token-file goes along in the URL.
    """
    from . import webhooks_replay

    if (to is None) == (inbox is None):
        raise CommandError(ExitCode.USAGE, "Where to is missing: pass either --to URL or --inbox FILE.")
    file = Path(what)
    if to is not None:
        webhooks_replay.post_event(run.out, file, to, find_secret_token(token_file))
        return
    is_file = file.is_file()
    with open_inbox(inbox, create=is_file) as opened:
        if is_file:
            webhooks_replay.record_event(run.out, file, opened)
        else:
            webhooks_replay.replay_event(run.out, what, opened)


@command(
    app,
    "work",
    examples=("webhooks work --app shop:receiver", "webhooks work --app shop:make_receiver --inbox events.db --once"),
    needs_client=False,
)
def work(
    run: CommandContext,
    *,
    application: Annotated[
        str,
        typer.Option(
            "--app", metavar="MODULE:NAME", help="Your WebhookReceiver, or a function that makes one of an inbox."
        ),
    ],
    inbox: InboxOption = None,
    once: Annotated[bool, typer.Option("--once", help="Handle what is due now, then end.")] = False,
    poll_interval: Annotated[
        float, typer.Option(min=0.01, metavar="SECONDS", help="Between looks for what others have recorded.")
    ] = 5.0,
) -> None:
    """Call your handlers for the events of an inbox, until Ctrl-C or SIGTERM, which let the event in hand be finished.

    The module is looked for in this folder first. Any number of these may work on one inbox.
    """
    from . import webhooks_work

    with open_inbox(inbox, create=True) as opened:
        receiver = webhooks_work.import_receiver(application, inbox, opened)
        if once:
            webhooks_work.work_once(run.out, receiver)
        else:
            webhooks_work.work(run.out, receiver, poll_interval)


def fields(subscription: WebhookSubscription) -> dict[str, str | None]:
    """Give what people see of a subscription."""
    return {
        "id": subscription.id,
        "state": activity(subscription),
        "events": " ".join(subscription.subscribed_events),
        "url": redact_url(subscription.url),
        "created": subscription.created_at.isoformat(timespec="seconds"),
    }
