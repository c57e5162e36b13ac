"""`manage.py reconcile`: finds films whose webhook never came. Run it from cron, such as every hour."""

from __future__ import annotations

import argparse
import datetime as dt

from contentgroove import ContentGroove, ContentGrooveError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from films.receiving import get_receiver


def moment(text: str) -> dt.datetime:
    """Parse a date or a time; without an offset it is UTC."""
    try:
        parsed = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-11-30") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=dt.UTC)


class Command(BaseCommand):
    """Records an event for each finished film that has none. The workers handle it like one that came."""

    help = "Find films whose webhook never came, and let the workers handle them."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add --since."""
        help_text = "check films whose processing started at this date or time, or later (by default: two days ago)"
        parser.add_argument("--since", type=moment, metavar="DATE", help=help_text)

    def handle(self, *, since: dt.datetime | None = None, **_: object) -> None:
        """Ask the service for what has finished.

        Raises:
            CommandError: The key is missing or a call failed. What was found before is recorded.
        """
        try:
            with ContentGroove() as client:
                found = get_receiver().reconcile(client, since=since or timezone.now() - dt.timedelta(days=2))
        except ContentGrooveError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{found} lost webhook{'s' * (found != 1)} found.")
