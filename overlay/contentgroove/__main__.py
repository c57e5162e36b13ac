"""`python -m contentgroove` is the command `contentgroove`."""

from contentgroove.cli import main

main()
