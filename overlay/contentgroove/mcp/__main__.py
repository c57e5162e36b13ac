"""`python -m contentgroove.mcp`: the command `contentgroove mcp`."""

from __future__ import annotations

import sys

import typer

from contentgroove.errors import ContentGrooveError

from .command import mcp

try:
    typer.run(mcp)
except ContentGrooveError as error:
    sys.exit(f"error: {error}")
