"""`contentgroove webhooks`: subscriptions, and the commands for inboxes and handling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from contentgroove._core.redaction import redact_url
from contentgroove.errors import InvalidInputError

from . import options
from .command import CommandContext, command
from .exit_codes import CommandError, ExitCode
from .output import Column, document, texts_of
from .webhook_delivering import app

if TYPE_CHECKING:
    from contentgroove.models import WebhookSubscription

EventsOption = Annotated[
    list[str] | None,
    typer.Option("--event", "-e", metavar="EVENT", help="Such as media.processing_finished; repeatable. Default: all."),
]


def activity(subscription: WebhookSubscription) -> str:
    """Return a subscription's state in one word."""
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
    filter_: Annotated[list[str] | None, options.filter_option("url_cont=example.com")] = None,
    sort: Annotated[str | None, options.sort_option("created_at")] = None,
    limit: options.LimitOption = None,
    page_size: options.PageSizeOption = None,
) -> None:
    """List subscriptions with id, state, events and URL.

    URLs are shown without their tokens; --json includes them.
    """
    from contentgroove_api.models.get_webhook_subscriptions_sort import GetWebhookSubscriptionsSort

    filters = options.parse_filters(filter_, _filter_names, run.out)
    order = options.parse_sort(sort, GetWebhookSubscriptionsSort)
    pager = run.client.webhook_subscriptions.list(filter=filters, sort=order, limit=limit, page_size=page_size)
    run.out.table(pager.pages(), COLUMNS, document, "No subscriptions.")


def _filter_names() -> type:
    from contentgroove._core.names import SubscriptionFilter

    return SubscriptionFilter


@command(app, "show", examples=("webhooks show SUBSCRIPTION-ID --json",))
def show(
    run: CommandContext,
    subscription_id: Annotated[str, typer.Argument(metavar="SUBSCRIPTION-ID", help="The subscription's id.")],
) -> None:
    """Show a subscription. Only --json includes the token in its URL."""
    subscription = run.client.webhook_subscriptions.get(subscription_id)
    run.out.print_item(fields(subscription), document(subscription))


@command(app, "create", examples=("webhooks create https://example.com/hook",))
def create(
    run: CommandContext,
    url: Annotated[str, typer.Argument(metavar="URL", help="The URL that events are POSTed to.")],
    *,
    events: EventsOption = None,
) -> None:
    """Subscribe a URL as it is.

    `webhooks subscribe` adds a secret token, which distinguishes real events from forged ones.
    """
    subscription = run.client.webhook_subscriptions.create(
        url=url, subscribed_events=options.parse_events(events, run.out)
    )
    run.out.print_item(fields(subscription), document(subscription))


@command(app, "subscribe", examples=("webhooks subscribe https://example.com/contentgroove",))
def subscribe_(
    run: CommandContext,
    url: Annotated[str, typer.Argument(metavar="URL", help="The URL of your receiver, without a token.")],
    *,
    events: EventsOption = None,
) -> None:
    """Subscribe a URL with a new secret token.

    The token is shown only once. The service does not sign deliveries: only a sender that knows the token can be
    trusted. Pass it to your receiver (secret_token=…), or to `contentgroove webhooks listen` in the environment
    variable CONTENTGROOVE_WEBHOOK_TOKEN.
    """
    from contentgroove.webhooks import subscribe

    try:
        subscription, token = subscribe(run.client, url, events=options.parse_events(events, run.out))
    except InvalidInputError as error:
        raise CommandError(ExitCode.USAGE, f"URL {error.message.removeprefix('base ')}") from error
    run.out.print_item({**fields(subscription), "token": token}, {**document(subscription), "token": token})
    run.out.print_note("The token is not shown again. Keep it for your receiver, and out of arguments and logs.")


@command(app, "delete", examples=("webhooks delete SUBSCRIPTION-ID --yes",))
def delete(
    run: CommandContext,
    subscription_ids: Annotated[list[str], typer.Argument(metavar="SUBSCRIPTION-ID...", help="Ids of subscriptions.")],
    *,
    yes: options.YesOption = False,
) -> None:
    """Delete subscriptions. Their URLs receive no more events."""
    run.delete_each("subscription", subscription_ids, run.client.webhook_subscriptions.delete, yes=yes)


@command(app, "events", examples=("webhooks events --inbox events.db --state dead",), needs_client=False)
def events_(
    run: CommandContext,
    *,
    inbox: options.NeededInboxOption,
    state: Annotated[
        Literal["pending", "claimed", "done", "dead"] | None,
        typer.Option("--state", metavar="STATE", help="Only events in this state: pending, claimed, done or dead."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Maximum number of events.")] = 100,
) -> None:
    """List the events in an inbox, newest first.

    Shows state, attempts, time, media, key and the last error of each.
    """
    from .webhook_inbox import EVENT_COLUMNS, stored_event_json

    with options.open_inbox(inbox, create=False) as opened:
        found = opened.events(state, limit)
        run.out.table([found] if found else [], EVENT_COLUMNS, stored_event_json, "No events.")


@command(
    app,
    "status",
    examples=("webhooks status --inbox events.db", "webhooks status --inbox events.db --worker-within 60 --json"),
    exit_codes={1: "an event is overdue, the worker pauses because of an outage, or --worker-within fails"},
    needs_client=False,
)
def status(
    run: CommandContext,
    *,
    inbox: options.NeededInboxOption,
    overdue: Annotated[
        float, typer.Option("--overdue", min=0, metavar="SECONDS", help="For how long an event may be due.")
    ] = 300,
    worker_within: Annotated[
        float | None,
        typer.Option("--worker-within", min=0, metavar="SECONDS", help="Fail unless a worker was seen since then."),
    ] = None,
) -> None:
    """Show how many events an inbox has, how old the oldest pending one is, and when a worker was last seen.

    The exit code is 1 if an event is overdue, if the worker pauses because of an outage, or if --worker-within fails,
    so that it can be a health probe. A worker stores a sign of life every 15 seconds, unless a handler takes longer.
    """
    from contentgroove.webhooks.status import read_status

    from .webhook_inbox import print_status

    with options.open_inbox(inbox, create=False) as opened:
        found = read_status(opened, overdue=overdue)
    print_status(run.out, found, overdue=overdue, worker_within=worker_within)


@command(app, "prune", examples=("webhooks prune --inbox events.db --days 90",), needs_client=False)
def prune(
    run: CommandContext,
    *,
    inbox: options.NeededInboxOption,
    days: Annotated[float, typer.Option(min=0, metavar="N", help="Forget events done more than N days ago.")] = 90,
) -> None:
    """Forget events that were done long ago.

    A forgotten event is handled again if it is delivered again.
    """
    with options.open_inbox(inbox, create=False) as opened:
        count = opened.prune(days * 86_400)
    run.out.print_item({"forgotten": str(count)}, {"forgotten": count})


@command(
    app,
    "migrate",
    examples=("webhooks migrate --inbox events.db", "webhooks migrate --inbox postgresql://host/name --dry-run"),
    needs_client=False,
)
def migrate(
    run: CommandContext,
    *,
    inbox: options.NeededInboxOption,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print the SQL.")] = False,
) -> None:
    """Bring the tables of an inbox to this release's version.

    Prints the SQL that it runs, in one transaction. Only this command changes tables that exist, and it creates them
    for roles of a database that may not. Receivers and workers can continue meanwhile: they wait.
    """
    migration = options.migrate_inbox(inbox, dry_run=dry_run)
    if run.out.json:
        run.out.document(
            {
                "from": migration.from_version,
                "to": migration.to_version,
                "statements": list(migration.statements),
                "executed": migration.executed,
            }
        )
    else:
        run.out.text(migration.script)
    if not migration.statements:
        run.out.summary(f"The tables have version {migration.to_version} already.")
    elif migration.executed:
        run.out.summary(f"The tables had version {migration.from_version} and have version {migration.to_version} now.")


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
        typer.Option("--app", metavar="MODULE:NAME", help="A WebhookReceiver, or a function that returns one."),
    ],
    inbox: options.InboxOption = None,
    once: Annotated[bool, typer.Option("--once", help="Handle the events that are due, then exit.")] = False,
    poll_interval: Annotated[
        float, typer.Option(min=0.01, metavar="SECONDS", help="Time between checks for events of other processes.")
    ] = 5,
) -> None:
    """Run your handlers for the events in an inbox.

    This continues until Ctrl-C or SIGTERM; the current event is finished first, or handed back after the receiver's
    grace (5 seconds by default). A function named by --app is called with the inbox. The module can be in the current
    folder. Several workers can share an inbox.
    """
    from . import webhook_worker

    with options.open_inbox(inbox, create=True) as opened:
        receiver = webhook_worker.import_receiver(application, inbox, opened)
        if once:
            webhook_worker.work_once(run.out, receiver)
        else:
            webhook_worker.work(run.out, receiver, poll_interval)


_DETAILS: list[Column[WebhookSubscription]] = [
    *COLUMNS,
    Column("created", lambda subscription: subscription.created_at.isoformat(timespec="seconds")),
]


def fields(subscription: WebhookSubscription) -> dict[str, str | None]:
    """Return the fields of a subscription, by label."""
    return texts_of(subscription, _DETAILS)
