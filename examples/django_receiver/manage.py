"""Django's command line: `migrate`, `work`, `reconcile`, `runserver`."""

from __future__ import annotations

import os
import sys

from contentgroove import ContentGrooveError
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cinema.settings")
    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, OperationalError, ContentGrooveError) as error:
        # A variable is missing, or the database cannot be reached: a traceback would say no more.
        sys.exit(f"Error: {error}")
