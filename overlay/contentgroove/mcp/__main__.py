"""`python -m contentgroove.mcp`: the command `contentgroove mcp`."""

from __future__ import annotations

import sys

from contentgroove.cli import main

sys.argv.insert(1, "mcp")
main()
