"""The deployments of docs/deployments.md: its files and commands, run as they stand, but at a port of the test."""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

PAGE = Path(__file__).parents[3] / "docs" / "deployments.md"
FILES = dict(re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))
COMMANDS: list[str] = [
    line
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]

SETTINGS = """
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
USE_TZ = True
SECRET_KEY = "any"
"""

RECEIVING = """
import asyncio
import os
import socket
import threading

from contentgroove.webhooks import PostgresInbox, SQLiteInbox, WebhookReceiver

journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
store, location = os.environ["STORE"], os.environ["LOCATION"]
inbox = (SQLiteInbox if store == "sqlite" else PostgresInbox)(location)
receiver = WebhookReceiver(inbox, secret_token=os.environ["WEBHOOK_TOKEN"], lease=1.0, grace=0.5)


def write(moment, event):
    line = f"{moment} {event.media.id} {os.getpid()} {event.attempt}"
    journal.sendto(line.encode(), os.environ["JOURNAL"])


def is_held(event):
    return event.media.id.startswith("held") and event.attempt == 1


if os.environ["ASYNC"]:
    @receiver.on("*")
    async def handle(event):
        write("begin", event)
        if is_held(event):
            try:
                await asyncio.Event().wait()
            finally:
                write("left", event)
        write("end", event)
else:
    @receiver.on("*")
    def handle(event):
        write("begin", event)
        if is_held(event):
            threading.Event().wait()
        write("end", event)
"""
"""Instead of the page's `receiving.py`: either store, and handlers that tell the test what they do."""


@dataclass(frozen=True)
class Deployment:
    """A server's command.

    Attributes:
        command: As the page has it.
    """

    command: str

    @property
    def program(self) -> str:
        """The server."""
        return self.command.split()[0]

    @property
    def is_async(self) -> bool:
        """Whether the application is an ASGI app, whose worker can interrupt async handlers only."""
        return "fastapi" in self.command or "asgi:" in self.command

    @property
    def inherits_socket(self) -> bool:
        """Whether it can serve at a socket that is open already; uWSGI binds its address itself."""
        return self.program != "uwsgi"

    def arguments(self, listening: socket.socket) -> list[str]:
        """Return the command that serves at this socket, or at its address."""
        program, *arguments = shlex.split(self.command)
        file = str(Path(sys.executable).with_name(program))
        if not self.inherits_socket:
            host, port = listening.getsockname()
            arguments[arguments.index("--http-socket") + 1] = f"{host}:{port}"
            # To reload, it starts itself again, as this program; it would leave the virtual environment otherwise.
            return [file, "--binary-path", sys.executable, *arguments]
        flag = ["--bind", f"fd://{listening.fileno()}"] if program == "gunicorn" else ["--fd", f"{listening.fileno()}"]
        return [file, *flag, *arguments]


def write_files(folder: Path) -> None:
    """Write the page's files, and those that an application has anyway."""
    for name, text in {**FILES, "receiving.py": RECEIVING, "settings.py": SETTINGS}.items():
        (folder / name).write_text(text, encoding="utf-8")
