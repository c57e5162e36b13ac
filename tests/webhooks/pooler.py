"""A pooler as PgBouncer's transaction mode: each transaction gets the next of a few sessions with the server.

It speaks only as much of PostgreSQL's protocol as that needs, on a Unix socket, without authentication.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import struct
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

PROTOCOL = 196_608
SOCKET = ".s.PGSQL.5432"
PARAMETERS = {
    "server_version": "18.0",
    "client_encoding": "UTF8",
    "server_encoding": "UTF8",
    "standard_conforming_strings": "on",
    "integer_datetimes": "on",
    "DateStyle": "ISO, MDY",
}
ENDS_A_REQUEST = (b"Q", b"S")


class Session:
    """One end of a connection."""

    def __init__(self, opened: socket.socket) -> None:
        opened.settimeout(30)
        self.socket = opened
        self.stream = opened.makefile("rb")

    def read(self) -> tuple[bytes, bytes]:
        """Read one message: its type and the rest, from the length on."""
        kind = self.stream.read(1)
        length = self.stream.read(4)
        if len(length) < 4:
            raise EOFError
        return kind, length + self.stream.read(struct.unpack("!I", length)[0] - 4)

    def close(self) -> None:
        """Close the connection."""
        self.stream.close()
        self.socket.close()


def message(kind: bytes, content: bytes) -> bytes:
    """Write a message."""
    return kind + struct.pack("!I", len(content) + 4) + content


def open_session(folder: str, search_path: str) -> Session:
    """Connect to the server, and wait until it is ready."""
    opened = socket.socket(socket.AF_UNIX)
    opened.connect(str(Path(folder) / SOCKET))
    session = Session(opened)
    words = ("user", "postgres", "database", "postgres", "options", f"-c search_path={search_path}")
    session.socket.sendall(message(b"", struct.pack("!I", PROTOCOL) + "\0".join(words).encode() + b"\0\0"))
    while session.read()[0] != b"Z":
        pass
    return session


class Pooler:
    """Forwards transactions.

    Attributes:
        sessions: Those with the server that no transaction uses.
        transactions: How many transactions each session has had, by its number.
    """

    def __init__(self, sessions: list[Session]) -> None:
        self.sessions: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.transactions = [0] * len(sessions)
        self._all = sessions
        for number in range(len(sessions)):
            self.sessions.put(number)

    def serve(self, listener: socket.socket) -> None:
        """Accept clients until the socket is closed."""
        with contextlib.suppress(OSError):
            while True:
                client = Session(listener.accept()[0])
                threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: Session) -> None:
        with contextlib.closing(client), contextlib.suppress(EOFError, OSError):
            (length,) = struct.unpack("!I", client.stream.read(4))
            client.stream.read(length - 4)
            greeting = message(b"R", struct.pack("!I", 0))
            for name, value in PARAMETERS.items():
                greeting += message(b"S", f"{name}\0{value}\0".encode())
            client.socket.sendall(greeting + message(b"K", bytes(8)) + message(b"Z", b"I"))
            while True:
                kind, content = client.read()
                if kind == b"X":
                    return
                self._transact(client, kind, content)

    def _transact(self, client: Session, kind: bytes, content: bytes) -> None:
        number = self.sessions.get(timeout=30)
        server = self._all[number]
        self.transactions[number] += 1
        try:
            while True:
                server.socket.sendall(kind + content)
                if kind in ENDS_A_REQUEST and self._respond(client, server) == b"I":
                    return
                kind, content = client.read()
        finally:
            self.sessions.put(number)

    def _respond(self, client: Session, server: Session) -> bytes:
        response = bytearray()
        while True:
            kind, content = server.read()
            response += kind + content
            if kind == b"Z":
                client.socket.sendall(response)
                return content[-1:]


@contextlib.contextmanager
def pooled(server: str, search_path: str, count: int = 3) -> Generator[tuple[str, Pooler]]:
    """Run a pooler in front of a server, whose socket is in the folder `server`; yields the conninfo of the pooler."""
    sessions = [open_session(server, search_path) for _ in range(count)]
    # A Unix socket's path has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="cg-pb-") as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(Path(folder) / SOCKET))
        listener.listen()
        pooler = Pooler(sessions)
        thread = threading.Thread(target=pooler.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield f"host={folder} user=postgres dbname=postgres", pooler
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(30)
            for session in sessions:
                session.close()
