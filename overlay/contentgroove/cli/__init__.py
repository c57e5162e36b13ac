"""The command line `contentgroove` (extra `cli`).

Other packages add commands through the entry-point group `contentgroove.commands`: each entry is a function that
takes the typer app.
"""

from __future__ import annotations

import sys

GROUP = "contentgroove.commands"


def main() -> None:
    """Run the command line."""
    if sys.argv[1:] == ["--version"]:
        from contentgroove import __version__

        print(f"contentgroove {__version__}")  # noqa: T201 - a command line prints
        return
    try:
        import typer
    except ImportError:
        sys.exit("error: the command line needs typer and rich: pip install 'contentgroove[cli]'")
    from importlib.metadata import entry_points

    from contentgroove.errors import ContentGrooveError

    app = typer.Typer(
        name="contentgroove",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def root() -> None:
        """Work with the ContentGroove video API. `contentgroove --version` shows the version."""

    missing: list[str] = []
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            entry.load()(app)
        except ImportError:
            # A command of an extra that is not installed.
            missing.append(entry.name)
    if len(sys.argv) > 1 and sys.argv[1] in missing:
        sys.exit(f"error: `contentgroove {sys.argv[1]}` needs another extra: pip install 'contentgroove[all]'")
    try:
        app()
    except ContentGrooveError as error:
        sys.exit(f"error: {error}")
