"""`contentgroove webhooks work`: an app's handlers in a process of their own."""

from __future__ import annotations

import os
import sys
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

from contentgroove.webhooks import HandlerError, Inbox, SQLiteInbox, WebhookReceiver

from .failures import CommandError, ExitCode
from .webhooks_service import until_signalled

if TYPE_CHECKING:
    from .output import Output


def import_receiver(name: str, place: str | None, inbox: Inbox) -> WebhookReceiver:
    """Import the app's receiver, or have it made of an inbox.

    Args:
        name: `module:name`.
        place: What --inbox names.
        inbox: That inbox, opened.

    Raises:
        CommandError: There is none, or it has another inbox.
    """
    found = _import_object(name)
    if isinstance(found, WebhookReceiver):
        # Only inboxes in files say where they are.
        if place is not None and not (isinstance(inbox, SQLiteInbox) and repr(found.inbox) == repr(inbox)):
            raise CommandError(
                ExitCode.USAGE,
                f"{name} keeps its events in {found.inbox!r}, not in {place}.",
                "Leave --inbox out, or name a function that takes the inbox and gives a WebhookReceiver.",
            )
        return found
    if not callable(found):
        raise CommandError(ExitCode.USAGE, f"{name} is no WebhookReceiver, but {type(found).__name__}.")
    if place is None:
        raise CommandError(ExitCode.USAGE, f"{name} is a function: pass --inbox FILE, of which it makes a receiver.")
    made = found(inbox)
    if not isinstance(made, WebhookReceiver):
        raise CommandError(ExitCode.USAGE, f"{name}(inbox) gave no WebhookReceiver, but {type(made).__name__}.")
    return made


def _import_object(name: str) -> Any:
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise CommandError(ExitCode.USAGE, f"{name!r} names no receiver: write MODULE:NAME, such as shop:receiver.")
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - a search path is text
    try:
        found: Any = import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as error:
        # An app may do anything while it is imported.
        raise CommandError(
            ExitCode.USAGE, f"{name} cannot be imported: {type(error).__name__}: {error}.", "See where with --debug."
        ) from error
    return found


def work_once(out: Output, receiver: WebhookReceiver) -> None:
    """Handle what is due.

    Raises:
        CommandError: Handlers failed.
    """
    stopping = threading.Event()
    with until_signalled(out, stopping.set):
        try:
            handled = receiver.process_pending(should_stop=stopping.is_set)
        except HandlerError as error:
            raise CommandError(
                ExitCode.FAILED, error.message, "See: contentgroove webhooks events --inbox FILE"
            ) from error
    out.summary(f"{handled} event{'s' * (handled != 1)} handled.")


def work(out: Output, receiver: WebhookReceiver, poll_interval: float) -> None:
    """Handle events as they are recorded, until told to stop; the event in hand is finished."""
    stopping = threading.Event()

    def stop() -> None:
        stopping.set()
        receiver.stop_worker()

    with until_signalled(out, stop):
        out.summary("Working (Ctrl-C stops after the event in hand)")
        receiver.work(poll_interval=poll_interval, should_stop=stopping.is_set)
    out.summary("Stopped.")
