"""The command `contentgroove mcp`."""

from __future__ import annotations

import signal
from pathlib import Path  # noqa: TC003  # typer reads the signature at run time
from typing import Annotated

import typer

from contentgroove._extras import needs
from contentgroove.cli.command import own_command
from contentgroove.errors import InvalidInputError


def register(app: typer.Typer) -> None:
    """Add this package's command to the command line."""
    examples = ("mcp --read-only", "mcp --upload-root videos --tools upload_media,wait_for_media")
    own_command(app, "mcp", examples=examples)(mcp)


def mcp(
    *,
    read_only: Annotated[bool, typer.Option("--read-only", help="Offer only tools that change nothing.")] = False,
    allow_destructive: Annotated[
        bool, typer.Option("--allow-destructive", help="Allow tools that change or delete data.")
    ] = False,
    tools: Annotated[
        str | None,
        typer.Option(
            "--tools", metavar="NAMES", help="Offer only these tools, separated by commas, and those of added sources."
        ),
    ] = None,
    dotted_names: Annotated[
        bool, typer.Option("--dotted-names", help="Publish clips.getApiV1Clips, not clips_getApiV1Clips.")
    ] = False,
    upload_root: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, metavar="FOLDER", help="Allow upload_media to send files below this folder."
        ),
    ] = None,
    inbox: Annotated[
        Path | None,
        typer.Option(dir_okay=False, metavar="FILE", help="A SQLite inbox of webhooks, for get_transcript."),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="Allow documents and added sources at this origin, even with plain http or an address that is not "
            "public. Can be repeated.",
        ),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DOCUMENT",
            help="Add the operations of an OpenAPI document, a file or an https URL, or those of a file that lists "
            "sources. Can be repeated.",
        ),
    ] = None,
    max_tools: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", help="List at most N tools of a source; a source with more gets a search for them."
        ),
    ] = 100,
) -> None:
    """Serve the API's tools to models (Model Context Protocol).

    The key comes from CONTENTGROOVE_API_KEY. Tools that change or delete data are listed, but fail without
    --allow-destructive.

    In a host's configuration: {"command": "contentgroove", "args": ["mcp", "--upload-root", "/home/me/videos"]}
    """
    import anyio

    with needs("`contentgroove mcp`", "mcp"):
        # Imported here, because all of it takes half a second.
        from contentgroove.mcp.configured_sources import read_sources
        from contentgroove.mcp.server import serve
        from contentgroove.tools import Access, NetworkPolicy, ToolError, origin_of

    names = frozenset(name.strip() for name in tools.split(",") if name.strip()) if tools is not None else None
    access = Access(read_only, allow_destructive, names)
    try:
        policy = NetworkPolicy(allowed=frozenset(origin_of(url) for url in allow_origin or ()))
    except ToolError as error:
        raise InvalidInputError(f"--allow-origin: {error.message}") from error

    sources = read_sources(source or ())

    async def run() -> None:
        await serve(
            access=access,
            policy=policy,
            upload_root=upload_root,
            inbox=inbox,
            dotted=dotted_names,
            max_tools=max_tools,
            sources=sources,
        )

    # A thread waits for standard input, and Python's own handling of Ctrl-C would wait for that thread.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        anyio.run(run)
    finally:
        signal.signal(signal.SIGINT, before)
