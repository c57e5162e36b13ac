"""Runs the command line in a real terminal, and draws what it shows."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove_mock import Fault, Policy, Simulator, serve

from tests.cli.conftest import CommandLine
from tests.pictures.pages import PORT
from tests.pictures.terminal import SCHEMES, Step, screen_text, svg

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = 92
MIB = 1024 * 1024


def session(cli: CommandLine, *commands: tuple[str, ...]) -> Iterator[Step]:
    """Run commands one after the other."""
    for arguments in commands:
        with cli.terminal(*arguments, columns=COLUMNS) as terminal:
            terminal.end()
            yield Step(shlex.join(("contentgroove", *arguments)), screen_text(terminal.screen))


def upload(cli: CommandLine) -> Iterator[Step]:
    """Stop in the middle of a batch: one film is processed, of the next one the store has accepted a part."""
    simulator = cli.server.simulator
    files = [cli.file("film.mp4", 48 * MIB), cli.file("talk.mp4", 64 * MIB), cli.file("interview.mp4", 40 * MIB)]
    arguments = ("medias", "upload", *files, "--wait", "--concurrency", "2")
    simulator.change_policy(processing_seconds=None)
    simulator.add_fault(Fault(kind="latency", operation="upload"))
    simulator.add_fault(Fault(kind="stall", operation="upload", after_bytes=20 * MIB, seconds=600, count=2))
    with cli.terminal(*arguments, columns=COLUMNS) as terminal:
        terminal.wait_for(r"talk\.mp4 .*[2-9]\d\.\d/67\.1 MB[^$]*interview\.mp4 .*[2-9]\d\.\d/41\.9 MB")
        yield Step(shlex.join(("contentgroove", *arguments)), screen_text(terminal.screen))
    simulator.reset()


def write(folder: Path) -> None:
    """Write the pictures of all sessions into a folder."""
    policy = Policy(queue_seconds=0.01, processing_seconds=0.02, clip_seconds=0.01)
    with tempfile.TemporaryDirectory() as work, serve(Simulator(policy=policy, seed=1), PORT) as server:
        cli = CommandLine(server, Path(work), key="any-key")
        pictures = {"cli-upload": list(upload(cli))}
        with cli.client() as client:
            server.simulator.fail_media(client.medias.create(source_url="https://films.test/lost.mp4", name="Lost").id)
            server.simulator.hold_media(client.medias.create(source_url="https://films.test/gala.mp4", name="Gala").id)
        uploads = ("medias", "upload", "film.mp4", "talk.mp4", "--concurrency", "1", "--wait")
        pictures["cli-results"] = list(session(cli, uploads, ("medias", "list", "--sort", "created_at")))
        media_id = cli.media("Opening night")
        mistakes = (
            ("medias", "upload", "flim.mp4"),
            ("clips", "create", media_id, "--name", "Opening", "--start", "5", "--end", "1:23.5"),
            ("medias", "show", media_id.replace(media_id[:8], "00000000")),
            ("clips", "lits"),
        )
        pictures["cli-errors"] = list(session(cli, *mistakes))
        pictures["cli-help"] = list(session(cli, ("clips", "create", "--help")))
    for name, steps in pictures.items():
        for scheme in SCHEMES:
            (folder / f"{name}-{scheme}.svg").write_text(svg(steps, COLUMNS, scheme), encoding="utf-8", newline="\n")
