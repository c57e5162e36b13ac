"""Run the command `contentgroove` as `python -m contentgroove`."""

from contentgroove.cli import main

main()
