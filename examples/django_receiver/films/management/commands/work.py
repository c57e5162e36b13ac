"""`manage.py work`: handles webhooks in this process. Start as many as you like, on any machines."""

from __future__ import annotations

from django.core.management.base import BaseCommand
from films.receiving import get_receiver


class Command(BaseCommand):
    """Works until Ctrl-C or SIGTERM. SIGTERM finishes the current event, for a few seconds, or hands it back."""

    help = "Handle webhooks until Ctrl-C or SIGTERM."
    requires_migrations_checks = True

    def handle(self, **_: object) -> None:
        """Work."""
        self.stdout.write("Working (Ctrl-C stops)")
        self.stdout.flush()
        try:
            get_receiver().work(poll_interval=1)
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
